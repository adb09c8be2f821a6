import express from 'express';
import { Polyseek, PolyseekError } from 'polyseek-client';

const { POLYSEEK_URL = 'http://localhost:8787', POLYSEEK_API_KEY, PORT = '3000' } = process.env;
const polyseek = new Polyseek({ url: POLYSEEK_URL, apiKey: POLYSEEK_API_KEY });

const escaped = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const page = (q, content) => `<!doctype html>
<title>Search</title>
<form><input name="q" type="search" aria-label="Question" value="${escaped(q)}" required> <button type="submit">Search</button></form>
${content}`;

const app = express();

app.get('/', async (request, response) => {
  const q = String(request.query.q ?? '');
  if (q === '') return response.send(page(q, ''));
  try {
    const { verdict, results } = await polyseek.search(q);
    const items = results.map(({ title, highlight }) => `<li>${escaped(`${title}: ${highlight.text}`)}</li>`);
    const line = verdict === 'none' ? '<p>Nothing here matches your question.</p>' : '';
    response.send(page(q, `${line}<ol>${items.join('')}</ol>`));
  } catch (error) {
    if (!(error instanceof PolyseekError)) throw error;
    console.error(error);
    response.status(502).send(page(q, '<p>The search does not respond.</p>'));
  }
});

app.listen(Number(PORT), 'localhost', () => console.log(`http://localhost:${PORT}`));
