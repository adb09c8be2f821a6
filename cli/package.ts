import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Option } from 'commander';
import { packageBuilder } from '../functions/package/package-builder.ts';
import { packageFunction } from '../functions/package/package-function.ts';
import type { Architecture } from '../index/engine/native-sources.ts';
import { print, size, Tool } from './kit/command.ts';
import { choice, collectionOption, indexOption, jsonOption, modelOption } from './kit/flags.ts';

interface Flags {
  builder?: boolean;
  index: string | false;
  model: string;
  out?: string;
  arch?: Architecture;
  collection?: Record<string, string>;
  json?: boolean;
}

export const command = new Tool('package', 'Build a self-contained Lambda deployment folder.')
  .addOption(indexOption())
  .option('--no-index', 'package no index: the function reads one from S3 Vectors, or gets one later')
  .addOption(
    new Option(
      '--builder',
      'package the function that builds indexes in AWS, which contains the search function',
    ).conflicts(['index', 'collection']),
  )
  .addOption(modelOption('with --no-index or --builder: model folder'))
  .addOption(collectionOption())
  .option(
    '--out <dir>',
    'output folder; replaces an existing package (default: .polyseek/function, or .polyseek/builder)',
  )
  .addOption(
    choice('--arch <architecture>', "Lambda's processor (default: package for this machine)", [
      'x86_64',
      'arm64',
    ]),
  )
  .addOption(jsonOption())
  .examples('npx polyseek package --arch arm64', 'npx polyseek package --builder --arch arm64')
  .action(async ({ builder, index, model, out: given, arch, collection, json }: Flags) => {
    const out = given ?? (builder ? '.polyseek/builder' : '.polyseek/function');
    if (builder) await packageBuilder(out, arch, model);
    else {
      const settings = { architecture: arch, collections: collection, model };
      await packageFunction(index === false ? undefined : index, out, settings);
    }
    const entries = await readdir(out, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const bytes = files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
    const target = arch ? `Lambda on ${arch}` : `${process.platform} ${process.arch}`;
    print(
      json,
      { out, target, files: files.length, bytes },
      () => `${out}: ${files.length} files, ${size(bytes)}, for ${target}`,
    );
  });
