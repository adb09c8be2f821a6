// functions/client/examples/ai-sdk.ts
import { generateText, type LanguageModel, stepCountIs } from 'ai';
import { searchTool } from 'polyseek/ai-sdk';
import type { Polyseek } from 'polyseek/client';

/** What any model answers that may search as often as it needs to. */
export async function ask(client: Polyseek, model: LanguageModel, question: string): Promise<string> {
  const { text } = await generateText({
    model,
    system: 'Answer from the documents alone, which you search. Cite titles.',
    prompt: question,
    tools: { search: searchTool(client, { k: 4 }) },
    stopWhen: stepCountIs(5),
  });
  return text;
}
