// functions/web/client/examples/client.ts
import { Polyseek } from 'polyseek/client';

const polyseek = new Polyseek({ url: process.env.POLYSEEK_URL!, apiKey: process.env.POLYSEEK_API_KEY });

const { verdict, results } = await polyseek.search('Ho diritto alle ferie pagate?');
if (verdict === 'possible') console.log('No sure answer. The closest passage:');
console.log(verdict === 'none' ? 'No answer found.' : results[0]?.highlight.text);
