import type { FieldNames } from '../file.ts';
import type { Fields } from './values.ts';

/** What the fields of a record mean. */
export interface Roles {
  id?: string;
  title?: string;
  url?: string;
  lang?: string;
  /** The fields that are its text, in order. Without any, all fields are. */
  text: string[];
}

/** Usual names in order of preference: in English, and in the languages that most tables are in. */
const TITLES = `title name headline heading subject question term label titel überschrift betreff frage bezeichnung titre nom sujet objet
  título titulo nombre asunto pregunta nome assunto pergunta titolo oggetto domanda naam onderwerp vraag namn ämne fråga rubrik navn emne
  otsikko nimi tytuł nazwa temat pytanie název otázka předmět cím név kérdés titlu nume întrebare название заголовок наименование имя тема
  вопрос назва питання τίτλος όνομα ερώτηση başlık isim konu soru العنوان عنوان الاسم السؤال שם כותרת שאלה शीर्षक नाम प्रश्न ชื่อ tiêuđề câuhỏi judul nama
  标题 標題 名称 名稱 题目 題目 问题 問題 タイトル 題名 件名 名前 見出し 質問 제목 이름 질문`;
const TEXTS = `body content contents answer description abstract article articlebody message passage summary details inhalt antwort
  beschreibung nachricht zusammenfassung texte contenu réponse description résumé texto contenido cuerpo respuesta descripción descripcion
  resumen conteúdo corpo resposta descrição testo contenuto risposta descrizione tekst inhoud antwoord beschrijving innehåll svar
  beskrivning indhold teksti sisältö vastaus kuvaus treść odpowiedź opis obsah odpověď popis szöveg válasz leírás conținut răspuns descriere
  текст содержание ответ описание сообщение зміст відповідь опис κείμενο απάντηση περιγραφή metin içerik cevap yanıt açıklama النص المحتوى
  الجواب الوصف טקסט תוכן תשובה תיאור पाठ सामग्री उत्तर विवरण ข้อความ เนื้อหา คำตอบ nộidung vănbản trảlời môtả isi jawaban deskripsi 正文 内容 內容 文本
  回答 答案 描述 本文 説明 テキスト 답변 내용 본문 설명 텍스트`;
const URLS = 'url link href uri permalink webaddress weblink 链接 網址 网址 リンク 링크 ссылка lien enlace';
const LANGUAGES =
  'lang language locale languagecode sprache langue idioma lingua taal język язык dil 语言 語言 言語 언어';
const IDS = 'id uuid guid uid identifier';

const words = (list: string): string[] => list.split(/\s+/).map(plainName);
const NAMES = {
  id: words(IDS),
  title: words(TITLES),
  text: words(TEXTS),
  url: words(URLS),
  lang: words(LANGUAGES),
};

/**
 * What fields mean: as `named` says, else by their names. A field `text` is the text alone; else all fields with usual names of text
 * are. A question is the title, or else part of the text.
 */
export function rolesOf(names: readonly string[], named: FieldNames = {}): Roles {
  const text = named.text === undefined ? [] : [named.text].flat();
  const taken = new Set([named.id, named.title, named.url, named.lang, ...text]);
  const byPlainName = new Map<string, string>();
  for (const name of names)
    if (!taken.has(name) && !byPlainName.has(plainName(name))) byPlainName.set(plainName(name), name);
  const first = (usual: string[]): string | undefined => {
    const name = usual.map((one) => byPlainName.get(one)).find((found) => found !== undefined);
    if (name !== undefined) byPlainName.delete(plainName(name));
    return name;
  };
  const roles: Roles = {
    id: named.id ?? first(NAMES.id),
    title: named.title ?? first(NAMES.title),
    url: named.url ?? first(NAMES.url),
    lang: named.lang ?? first(NAMES.lang),
    text,
  };
  if (text.length > 0) return roles;
  const only = byPlainName.get('text');
  const usual = only === undefined ? [...NAMES.text, 'question'] : ['text'];
  roles.text = [...byPlainName].flatMap(([plain, name]) => (usual.includes(plain) ? name : []));
  return roles;
}

/** Whether a name tells what a field means. */
export function isUsualName(name: string): boolean {
  const plain = plainName(name);
  return plain === 'text' || Object.values(NAMES).some((names) => names.includes(plain));
}

/** The names that a mapping names, and that fields may lack. */
export function missingNames({ id, title, text, url, lang }: FieldNames, names: Iterable<string>): string[] {
  const existing = new Set<string | undefined>([undefined, ...names]);
  return [id, title, text, url, lang].flat().filter((name) => !existing.has(name)) as string[];
}

/**
 * The field that names a record of which no field is called a title: the first if it is a short text with a letter.
 */
export function likelyTitle(fields: Fields): string | undefined {
  const [name, value] = [...fields].find(([, value]) => typeof value === 'string' && value !== '') ?? [];
  return typeof value === 'string' && value.length <= 120 && /\p{L}/u.test(value) && !/\n|:\/\//.test(value)
    ? name
    : undefined;
}

/** A name in lower case without spaces and marks. */
function plainName(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]/gu, '');
}
