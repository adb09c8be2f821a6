import { GraphBuilder } from './graph-builder.ts';

/** Builds a graph while another process writes its vectors. Each message is how many are in the file, the last one all. */
const [vectors, graph, nodes, dimensions] = process.argv.slice(2) as [string, string, string, string];
const builder = new GraphBuilder(vectors, Number(nodes), Number(dimensions));

process.on('message', (available: number) => {
  try {
    builder.add(available);
    if (available < Number(nodes)) return;
    builder.write(graph);
    process.send?.({ error: null }, () => process.exit());
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    process.send?.({ error: message, code }, () => process.exit(1));
  }
});
process.on('disconnect', () => process.exit());
// Ctrl-C in a terminal reaches this process too. Its end would look like a failure to the parent, which ends both.
process.on('SIGINT', () => {});
