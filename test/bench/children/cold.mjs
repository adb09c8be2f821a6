// Imports a function and asks it one question. Runs in a new Node process without this project's loaders.
const [url, event] = JSON.parse(process.argv[2]);
const { handler } = await import(url);
const { statusCode, body } = await handler(event, { awsRequestId: 'cold' });
if (statusCode !== 200 || JSON.parse(body).results.length === 0) throw new Error(`No answer: ${body}`);
const answered = Date.now();
const { report } = await import('./report.mjs');
report(answered);
