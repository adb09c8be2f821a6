// functions/client/examples/chat.ts
import { generateText, type LanguageModel } from 'ai';
import { type Answerer, chat } from 'polyseek/chat';
import type { Polyseek } from 'polyseek/client';

/** Has a model write the chatbot's answers from the passages that were found. */
export const writtenBy =
  (model: LanguageModel): Answerer =>
  async (question, passages) => {
    const numbered = passages.map(({ title, text }, i) => `[${i + 1}] ${title}\n${text}`).join('\n\n');
    const { text } = await generateText({
      model,
      system: `Answer from these passages alone and cite them as [1]; where they do not tell, say "I don't know."\n\n${numbered}`,
      prompt: question,
    });
    return text;
  };

/** The chatbot in the terminal, with a model. */
export const chatWith = (client: Polyseek, model: LanguageModel) =>
  chat(client, { answer: writtenBy(model) });
