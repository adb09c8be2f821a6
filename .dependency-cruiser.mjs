/**
 * Which folder may import which. Arrows point down: from commands to cloud to endpoint to search to formats. Type-only imports count.
 * A folder may always import itself, and `npm run check` fails on any other import.
 */
const MAY_IMPORT = {
  'index/text': [],
  'index/format': ['index/text', 'index/engine/load-native.ts'],
  'index/cache': ['index/format', 'index/engine/load-native.ts'],
  'index/engine': ['index/format'],
  'index/embedding': ['index/engine', 'index/format', 'index/text'],
  'index/store': ['index/format', 'index/text'],
  'index/store/s3vectors': ['index/store', 'index/format', 'index/text'],
  'index/publish': ['index/store', 'index/format', 'index/text'],
  'index/search': [
    'index/embedding',
    'index/format',
    'index/store/filter.ts',
    'index/store/invalid-request.ts',
    'index/store/store.ts',
    'index/store/bundle-store.ts',
    'index/text',
  ],
  'index/documents': ['index/format'],
  'index/sources': ['index/documents', 'index/format/installation.ts', 'index/store/bucket-owner.ts'],
  'index/reading': ['index/cache', 'index/documents', 'index/format', 'index/sources'],
  'index/passages': ['index/documents', 'index/format', 'index/text'],
  'index/compile': ['index/documents', 'index/embedding', 'index/format', 'index/sources'],
  'index/evaluate': ['index'],
  'functions/search': ['index/search', 'index/store', 'index/format'],
  'functions/search/package': ['functions/search', 'index'],
  'functions/search/widget': ['functions/client', 'functions/search', 'index/search', 'index/format'],
  'functions/build': [
    'functions/search',
    'index',
    'infra/remote',
    'infra/asset.ts',
    'infra/uploads.ts',
    'infra/version-description.ts',
  ],
  'functions/build/package': ['functions/build', 'functions/search', 'index'],
  'functions/client': ['functions/search', 'index/search/limits.ts'],
  infra: ['functions/search', 'index'],
  cli: ['functions', 'index', 'infra'],
  'cli/kit': ['functions/build', 'functions/client/printable.ts', 'functions/search', 'index', 'infra'],
};

/** Packages behind a seam: one file imports each. */
const SEAMS = {
  'hnswlib-node': 'index/format/graph-builder.ts',
  'onnxruntime-node': 'index/embedding/onnx-encoder.ts',
  '@xenova/transformers': 'index/compile/import-model.ts',
};

const folders = Object.keys(MAY_IMPORT);

/** A pattern for files in a folder that are in no listed folder below it. */
const inFolder = (folder) => {
  const below = folders.filter((other) => other.startsWith(`${folder}/`));
  return { path: `^${folder}/`, ...(below.length > 0 && { pathNot: below.map((other) => `^${other}/`) }) };
};

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
        pathNot: [folder, ...MAY_IMPORT[folder]].map((allowed) =>
          allowed.endsWith('.ts') ? `^${allowed}$` : `^${allowed}/`,
        ),
      },
    })),
    {
      name: 'index-root',
      comment:
        'build.ts, local.ts and suggestions.ts combine the folders beside them. Only evaluation builds on them.',
      severity: 'error',
      from: { path: '^index/[^/]+\\.ts$' },
      to: { path: '^(cli|functions|infra|test|index/evaluate)/' },
    },
    {
      name: 'function-without-build-time',
      comment: 'The Lambda function must never load code that builds.',
      severity: 'error',
      from: { path: '^functions/search/lambda\\.ts$' },
      to: {
        reachable: true,
        path: '^(cli|infra)/|^index/(documents|sources|reading|passages|compile|evaluate|cache|publish)/|^index/[^/]+\\.ts$|/(compile-engine|load-native|write-index|write-checks|graph-builder|drafts|parallel|memoize)\\.ts$',
      },
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
