// Calls a module's exported functions as it is told to, one after another, and tells how long each call took.
const module = await import(process.argv[2]);
process.on('message', async ({ what, args, keep }) => {
  const times = [];
  const answers = [];
  for (const argument of args) {
    const start = performance.now();
    const answer = await module[what](argument);
    times.push(performance.now() - start);
    if (answer?.statusCode !== undefined && answer.statusCode !== 200) throw new Error(answer.body);
    if (keep) answers.push(answer);
  }
  process.send({ times, answers });
});
process.on('disconnect', () => process.exit());
