// functions/web/client/examples/ai-sdk.ts
import { generateText, type LanguageModel, stepCountIs } from 'ai';
import { searchTool } from 'polyseek/ai-sdk';
import type { Polyseek } from 'polyseek/client';

/** Answers a question with a model that may search several times. */
export async function ask(client: Polyseek, model: LanguageModel, question: string): Promise<string> {
  const { text } = await generateText({
    model,
    system: 'Search the documents and answer only from them. Cite titles.',
    prompt: question,
    tools: { search: searchTool(client, { k: 4 }) },
    stopWhen: stepCountIs(5),
  });
  return text;
}
