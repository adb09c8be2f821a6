// functions/client/examples/chat.ts
import { generateText, type LanguageModel } from 'ai';
import { type Answerer, chat } from 'polyseek/chat';
import type { Polyseek } from 'polyseek/client';

/** Makes an answerer in which a model writes the answer from the passages. */
export const writtenBy =
  (model: LanguageModel): Answerer =>
  async (question, passages) => {
    const numbered = passages.map(({ title, text }, i) => `[${i + 1}] ${title}\n${text}`).join('\n\n');
    const { text } = await generateText({
      model,
      system: `Answer only from these passages and cite them as [1]. If they do not contain the answer, say "I don't know."\n\n${numbered}`,
      prompt: question,
    });
    return text;
  };

/** Starts the chatbot in the terminal, with a model. */
export const chatWith = (client: Polyseek, model: LanguageModel) =>
  chat(client, { answer: writtenBy(model) });
