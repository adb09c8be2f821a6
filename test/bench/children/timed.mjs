// Calls a module's exported functions on request, one after another, and reports the time of each call.
const module = await import(process.argv[2]);
process.on('message', async ({ name, args, keep }) => {
  const times = [];
  const answers = [];
  for (const argument of args) {
    const start = performance.now();
    const answer = await module[name](argument);
    times.push(performance.now() - start);
    if (answer?.statusCode !== undefined && answer.statusCode !== 200) throw new Error(answer.body);
    if (keep) answers.push(answer);
  }
  process.send({ times, answers });
});
process.on('disconnect', () => process.exit());
