import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../search/version.ts';
import type { Component } from './licence-notices.ts';

/** The name of the bill of materials, beside the notices. */
export const SBOM = 'sbom.cdx.json';

/** A software bill of materials: what it describes, and what that contains. */
interface Contents {
  /** Name of the part of polyseek that contains the components. */
  name: string;
  components: readonly Component[];
  /** Folders in `folder` whose files are listed with their SHA-256: no registry has a hash of them. */
  hashed: readonly string[];
  /** `componentId` of those that polyseek itself needs; default: all. */
  direct?: readonly string[];
  /** `componentId` of those that another component needs, by its own. Bundled components are direct. */
  needs?: ReadonlyMap<string, readonly string[]>;
}

/** The id of a component: its package URL (https://github.com/package-url/purl-spec) if it is a package. */
export function componentId({ name, version }: Pick<Component, 'name' | 'version'>): string {
  return version === undefined ? name : `pkg:npm/${name.replace(/^@/, '%40')}@${version}`;
}

/** Writes a bill of materials in CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/). The same contents have the same bytes. */
export function writeSbom(folder: string, { name, components, hashed, direct, needs }: Contents): void {
  const whole = `${name}@${version}`;
  const byId = new Map(components.map((component) => [componentId(component), component]));
  const listed = [...byId].sort(byFirst);
  const sorted = (ids: readonly string[]) => [...new Set(ids)].sort();
  const bom = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: { type: 'application', 'bom-ref': whole, name, version, licenses: licencesOf('MIT') },
    },
    components: [...listed.map(([id, component]) => describe(id, component)), ...filesOf(folder, hashed)],
    dependencies: [
      { ref: whole, dependsOn: sorted(direct ?? [...byId.keys()]) },
      ...[...(needs ?? [])].sort(byFirst).map(([ref, ids]) => ({ ref, dependsOn: sorted(ids) })),
    ],
  };
  writeFileSync(join(folder, SBOM), `${JSON.stringify(bom, null, 2)}\n`);
}

function describe(id: string, { type, name, version, licence, integrity }: Component): object {
  const hashes = integrity && [
    { alg: 'SHA-512', content: Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex') },
  ];
  return {
    type,
    'bom-ref': id,
    name,
    ...(version !== undefined && { version, purl: id }),
    ...(hashes && { hashes }),
    licenses: licencesOf(licence),
  };
}

/** A licence as an SPDX identifier, as an expression of several, or else by its name. */
function licencesOf(licence: string): object[] {
  if (/ (AND|OR|WITH) /.test(licence)) return [{ expression: licence }];
  return [{ license: /^[\w.+-]+$/.test(licence) ? { id: licence } : { name: licence } }];
}

function filesOf(folder: string, parts: readonly string[]): object[] {
  const paths = parts.flatMap((part) =>
    readdirSync(join(folder, part), { recursive: true, encoding: 'utf8' }).map((name) => join(part, name)),
  );
  const files = paths.filter((path) => statSync(join(folder, path)).isFile());
  return files.sort().map((path) => {
    const content = createHash('sha256')
      .update(readFileSync(join(folder, path)))
      .digest('hex');
    return { type: 'file', name: path.replaceAll('\\', '/'), hashes: [{ alg: 'SHA-256', content }] };
  });
}

function byFirst([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
