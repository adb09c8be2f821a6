import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compileLibrary } from '../../index/engine/compile-engine.ts';

// The plain function uses the npm package hnswlib-node, whose install script is off. This puts the addon where the package looks for it.
const root = dirname(createRequire(import.meta.url).resolve('hnswlib-node/package.json'));
const addon = join(root, 'build/Release/addon.node');
if (!existsSync(addon)) {
  mkdirSync(dirname(addon), { recursive: true });
  cpSync(compileLibrary('hnswlib'), addon);
}
