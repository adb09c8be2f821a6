import type { Neutral } from '../format/compiled-model.ts';
import { PART } from '../format/tokens-file.ts';
import { decodeTable, readTable } from './lookup-tables.ts';
import { FLOAT, FLOAT16, floats, Graph, integers, type Node, node, type Tensor } from './onnx-graph.ts';
import { packEncoder } from './pack-encoder.ts';

interface CutOptions {
  /** `hidden_size` of config.json. */
  hidden: number;
  /** Row of the first token in the position table: 0 for BERT, padding id + 1 for RoBERTa. */
  firstPosition: number;
  neutral?: Pick<Neutral, 'axes'>;
  /** The layer whose output are the token states, from 1. Without it, the encoder outputs none. */
  stateLayer?: number;
}

type Role = 'word' | 'position' | 'type';

/**
 * Cuts a sentence model after the sum of its word, position and type rows. The part before becomes lookup tables. The part after
 * becomes the encoder, with mean pooling over all tokens, removal of the language axes and L2 normalization added.
 * @param onnx a BERT-like model: input_ids, attention_mask (and token_type_ids) to last_hidden_state
 * @throws naming the part of the model that is missing or unsupported
 */
export function cutModel(onnx: Uint8Array, { hidden, firstPosition, neutral, stateLayer }: CutOptions) {
  const graph = new Graph(onnx);
  const gathers = findLookups(graph);
  const sum = findSum(graph, gathers);
  const words = readTable(graph, gathers.word, 'word');
  const columns = words.layout.columns;
  if (columns !== hidden) {
    throw new Error(
      `The word rows have ${columns} numbers, but config.json has hidden_size ${hidden}. Use the config.json of this model.`,
    );
  }
  const positions = addTypeRow(graph, gathers, firstPosition);
  const output = graph.outputs().includes('last_hidden_state') ? 'last_hidden_state' : graph.outputs()[0]!;
  const half = readTable(graph, gathers.position, 'position').layout.kind === 'fp16' && isHalf(graph, sum);
  const head = inputNodes(sum.output![0]!, half);
  const tail = poolingNodes(output, graph, neutral, columns);
  const body = graph.nodes.filter((candidate) => candidate !== sum);
  const layerOutput = stateLayer === undefined ? undefined : outputOfLayer(graph, output, stateLayer);
  const states = layerOutput ? [node('Cast', [layerOutput], ['states'], { to: FLOAT })] : [];
  return {
    words,
    /** The sum of position row and type row for each position, `maxTokens * columns`. */
    positions,
    maxTokens: positions.length / columns,
    /** ONNX: `rows` float [1, tokens, columns] to `vector` float [1, columns], and to `states` float [1, tokens, columns]. */
    encoder: graph.encode(
      [...head.nodes, ...body, ...tail.nodes, ...states],
      'rows',
      { vector: [1, columns], ...(layerOutput && { states: [1, 'tokens', columns] }) },
      columns,
      [...head.constants, ...tail.constants],
    ),
    /** The encoder for the project's own engine; undefined if the engine does not support it. */
    packed: packEncoder(graph, sum.output![0]!, output, neutral?.axes ?? [], positions.length / columns),
    hasStates: layerOutput !== undefined && columns % (4 * PART) === 0 && columns <= 256 * PART,
    /** Whether ONNX Runtime should fuse nodes when it opens the graph. */
    optimize: !graph.nodes.some((candidate) => /Attention$/.test(candidate.opType ?? '')),
  };
}

/** Sorts the lookups by role, which follows from the ids and the shape of the table. */
function findLookups(graph: Graph): Record<Role, Node[]> {
  const found: Record<Role, Node[]> = { word: [], position: [], type: [] };
  for (const candidate of graph.nodes) {
    if (candidate.opType !== 'Gather') continue;
    const [data, indices] = candidate.input!;
    const stored =
      graph.constants.get(data!) ?? graph.constants.get(graph.producers.get(data!)?.input?.[0] ?? '');
    if (stored?.dims?.length !== 2) continue;
    if (indices === 'input_ids') found.word.push(candidate);
    else if (indices === 'token_type_ids' || Number(stored.dims[0]) <= 2) found.type.push(candidate);
    else found.position.push(candidate);
  }
  if (found.word.length === 0 || found.position.length === 0) {
    throw new Error(
      `The model has ${found.word.length} lookups by input_ids and ${found.position.length} by position, but polyseek requires at least one of each. ` +
        'Export it as a BERT-like encoder without fusing its embedding layer.',
    );
  }
  return found;
}

/** The first node that depends on every kind of lookup: the sum of all rows. */
function findSum(graph: Graph, gathers: Record<Role, Node[]>): Node {
  const roles = (['word', 'position', 'type'] as const).filter((role) => gathers[role].length > 0);
  const reached = new Map<string, Set<Role>>();
  for (const candidate of graph.nodes) {
    const own = roles.filter((role) => gathers[role].includes(candidate));
    const all = new Set([
      ...own,
      ...(candidate.input ?? []).flatMap((name) => [...(reached.get(name) ?? [])]),
    ]);
    for (const name of candidate.output ?? []) reached.set(name, all);
    if (all.size === roles.length) {
      if (candidate.opType === 'Add') return candidate;
      throw new Error(
        `The rows are combined by ${candidate.opType}, but polyseek requires Add. Export the model without fusing its embedding layer.`,
      );
    }
  }
  throw new Error('The word and position rows are never added. Export the model as a BERT-like encoder.');
}

function addTypeRow(graph: Graph, gathers: Record<Role, Node[]>, firstPosition: number): Float32Array {
  const table = readTable(graph, gathers.position, 'position');
  const { columns } = table.layout;
  const positions = decodeTable(table).slice(firstPosition * columns);
  if (gathers.type.length > 0) {
    const type = decodeTable(readTable(graph, gathers.type, 'type'));
    for (let i = 0; i < positions.length; i++) positions[i]! += type[i % columns]!;
  }
  return positions;
}

/**
 * The output of a layer, or undefined if the layers cannot be told apart. Each layer ends with its second normalization, and one
 * more normalization precedes the first layer.
 */
function outputOfLayer(graph: Graph, output: string, layer: number): string | undefined {
  const norms = graph.nodes.filter(({ opType }) => /LayerNormalization$/.test(opType ?? ''));
  const last = norms.at(-1)?.output?.[0];
  const isLast = last === output || graph.producers.get(output)?.input?.[0] === last;
  if (norms.length % 2 === 0 || 2 * layer >= norms.length || !isLast) return undefined;
  return norms[2 * layer]!.output![0]!;
}

/** Whether the sum is float16: there is no Cast between the half-precision tables and their sum. */
function isHalf(graph: Graph, sum: Node): boolean {
  const isCast = (name: string): boolean => {
    const producer = graph.producers.get(name);
    if (!producer || producer.opType === 'Gather') return false;
    return producer.opType === 'Cast' || (producer.input ?? []).some(isCast);
  };
  return !(sum.input ?? []).some(isCast);
}

/**
 * Replaces the sum by the input `rows`, and the model's inputs by ones of the same shape: one text per run needs no mask, and after
 * the lookup only the number of ids matters.
 */
function inputNodes(sum: string, half: boolean): { nodes: Node[]; constants: Tensor[] } {
  const one = integers('polyseek/one', [1]);
  return {
    nodes: [
      half ? node('Cast', ['rows'], [sum], { to: FLOAT16 }) : node('Identity', ['rows'], [sum]),
      node('Shape', ['rows'], ['polyseek/shape']),
      node('Slice', ['polyseek/shape', 'polyseek/from', 'polyseek/to'], ['polyseek/tokens']),
      ...['input_ids', 'attention_mask', 'token_type_ids'].map((input) =>
        node('ConstantOfShape', ['polyseek/tokens'], [input], { value: one }),
      ),
    ],
    constants: [integers('polyseek/from', [0]), integers('polyseek/to', [2])],
  };
}

function poolingNodes(
  output: string,
  graph: Graph,
  neutral: Pick<Neutral, 'axes'> | undefined,
  columns: number,
): { nodes: Node[]; constants: Tensor[] } {
  const states = graph.outputType(output) === FLOAT16 ? 'polyseek/states' : output;
  const nodes = states === output ? [] : [node('Cast', [output], [states], { to: FLOAT })];
  const constants: Tensor[] = [];
  if (graph.opset >= 18) {
    constants.push(integers('polyseek/axis', [1]));
    nodes.push(node('ReduceMean', [states, 'polyseek/axis'], ['polyseek/mean'], { keepdims: 0 }));
  } else {
    nodes.push(node('ReduceMean', [states], ['polyseek/mean'], { axes: [1], keepdims: 0 }));
  }
  let pooled = 'polyseek/mean';
  if (neutral) {
    const rank = neutral.axes.length;
    const axes = Float32Array.from(neutral.axes.flat());
    const transposed = new Float32Array(axes.length);
    for (let r = 0; r < rank; r++)
      for (let c = 0; c < columns; c++) transposed[c * rank + r] = axes[r * columns + c]!;
    constants.push(
      floats('polyseek/axes', [rank, columns], axes),
      floats('polyseek/axes-transposed', [columns, rank], transposed),
    );
    nodes.push(
      node('MatMul', [pooled, 'polyseek/axes-transposed'], ['polyseek/language']),
      node('MatMul', ['polyseek/language', 'polyseek/axes'], ['polyseek/bias']),
      node('Sub', [pooled, 'polyseek/bias'], ['polyseek/neutral']),
    );
    pooled = 'polyseek/neutral';
  }
  nodes.push(node('LpNormalization', [pooled], ['vector'], { axis: 1, p: 2 }));
  return { nodes, constants };
}
