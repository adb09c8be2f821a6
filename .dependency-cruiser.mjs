/**
 * Which room may import which. Arrows point down: from commands to the stack to the functions to the index's rooms. Type-only imports count.
 * A room may always import itself, and `npm run check` fails on any other import.
 */
const MAY_IMPORT = {
  // Every room may import it.
  'index/kit': [],
  'index/text': [],
  'index/aws': [],
  'index/documents': [],
  'index/format': ['index/documents', 'index/text'],
  'index/engine': ['index/format'],
  'index/graph': ['index/engine', 'index/format'],
  'index/embedding': ['index/engine', 'index/format', 'index/text'],
  'index/store': ['index/format'],
  'index/store/s3vectors': ['index/aws', 'index/format', 'index/store/*'],
  'index/store/s3vectors/publish': ['index/aws', 'index/format', 'index/graph', 'index/store/s3vectors/*'],
  'index/search': ['index/embedding', 'index/format', 'index/store/*', 'index/text'],
  'index/compile': ['index/documents', 'index/embedding', 'index/format', 'index/ingest/sources'],
  'index/ingest/sources': ['index/aws', 'index/documents', 'index/format'],
  'index/ingest/cache': ['index/engine', 'index/format'],
  'index/ingest/reading': ['index/documents', 'index/format', 'index/ingest/cache', 'index/ingest/sources'],
  'index/ingest/passages': ['index/documents', 'index/format', 'index/text'],
  'index/ingest': [
    'index/compile',
    'index/documents',
    'index/embedding',
    'index/engine',
    'index/format',
    'index/graph',
    'index/search',
    'index/store',
    'index/text',
  ],
  'index/evaluate': ['index'],
  'functions/search': [
    'functions/web',
    'index/aws',
    'index/format',
    'index/search',
    'index/store/*',
    'index/store/s3vectors/*',
  ],
  'functions/web': ['index/format', 'index/search'],
  'functions/package': ['functions/search', 'functions/web', 'index'],
  'functions/deployed': ['functions/package', 'functions/search', 'index'],
  'functions/builder': ['functions/deployed', 'functions/search', 'index'],
  infra: ['functions/deployed', 'functions/package', 'functions/search', 'index'],
  cli: ['functions', 'index', 'infra'],
};

/** Packages behind a seam: one file imports each. */
const SEAMS = {
  'hnswlib-node': 'index/graph/graph-builder.ts',
  'onnxruntime-node': 'index/embedding/onnx-encoder.ts',
  '@xenova/transformers': 'index/compile/import-model.ts',
};

const folders = Object.keys(MAY_IMPORT);

/** A pattern for files in a folder that are in no listed folder below it. */
const inFolder = (folder) => {
  const below = folders.filter((other) => other.startsWith(`${folder}/`));
  return { path: `^${folder}/`, ...(below.length > 0 && { pathNot: below.map((other) => `^${other}/`) }) };
};

/** A pattern for the files of a folder but not of those below it (`FOLDER/*`), or for a folder with all below it. */
const patternOf = (allowed) => (allowed.endsWith('/*') ? `^${allowed.slice(0, -1)}[^/]+$` : `^${allowed}/`);

export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'resolvable',
      comment: 'The examples import the package by its name, which tsconfig.json maps to the sources.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^polyseek/' },
    },
    ...folders.map((folder) => ({
      name: `imports-of-${folder.replaceAll('/', '-')}`,
      severity: 'error',
      from: inFolder(folder),
      to: {
        path: '^(cli|functions|index|infra|test)/',
        pathNot: [inFolder(folder).path, ...['index/kit', ...MAY_IMPORT[folder]].map(patternOf)],
      },
    })),
    {
      name: 'function-without-build-time',
      comment: 'The Lambda function must never load code that builds.',
      severity: 'error',
      from: { path: '^functions/search/lambda\\.ts$' },
      to: {
        reachable: true,
        path: '^(cli|infra)/|^functions/(builder|deployed|package)/|^index/(documents|ingest|compile|evaluate|graph)/|^index/store/s3vectors/publish/|/(compile-engine|load-native|write-index|drafts|parallel)\\.ts$',
      },
    },
    {
      name: 'bundle-store-without-aws',
      comment: 'A function with its index in its bundle must not load code for S3 Vectors.',
      severity: 'error',
      from: { path: '^index/store/[^/]+$' },
      to: { reachable: true, path: '^index/(aws|store/s3vectors)/' },
    },
    ...Object.entries(SEAMS).map(([name, seam]) => ({
      name: `seam-of-${name.replaceAll(/[@/]+/g, '-')}`,
      severity: 'error',
      from: { path: '^(cli|functions|index|infra)/', pathNot: `^${seam.replaceAll('.', '\\.')}$` },
      to: { path: `^node_modules/${name}/` },
    })),
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: '^node_modules/' },
    exclude: { path: '^dist/' },
    // As in the function's bundle, so that `#` imports resolve to what the function gets.
    enhancedResolveOptions: {
      conditionNames: ['polyseek-function', 'import', 'node', 'types', 'default'],
      exportsFields: ['exports'],
    },
  },
};
