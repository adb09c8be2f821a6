// functions/web/client/examples/chat.ts
import { createChat } from 'polyseek/chat';
import { Polyseek } from 'polyseek/client';

const { POLYSEEK_URL, POLYSEEK_API_KEY } = process.env;
// Ollama on this machine. A provider needs `key` too.
const [url = 'http://localhost:11434/v1', name = 'gemma3'] = process.argv.slice(2);

const chat = createChat({
  client: new Polyseek({ url: POLYSEEK_URL!, apiKey: POLYSEEK_API_KEY }),
  model: { url, name },
});

for (const q of ['Is slavery allowed?', 'And torture?']) {
  await chat.ask(q, { onText: (part) => process.stdout.write(part) });
  console.log('\n');
}
