// functions/client/examples/client.ts
import { Polyseek } from 'polyseek/client';

const polyseek = new Polyseek({ url: process.env.POLYSEEK_URL!, apiKey: process.env.POLYSEEK_API_KEY });

const { answered, results } = await polyseek.search('Ho diritto alle ferie pagate?');
console.log(answered ? results[0]?.highlight.text : 'Not found.');
