// functions/web/client/examples/client.ts
import { Polyseek } from 'polyseek/client';

const polyseek = new Polyseek({ url: process.env.POLYSEEK_URL!, apiKey: process.env.POLYSEEK_API_KEY });

const { verdict, results } = await polyseek.search('Ho diritto alle ferie pagate?');
console.log(verdict === 'answered' ? 'Best match:' : 'Close to the question:', results[0]?.highlight.text);
