import { type Component, type LockEntry, readLock } from '../../functions/package/notices.ts';
import { componentId } from '../../functions/package/sbom.ts';

/** The packages that npm installs with this one. Licence texts are in the packages themselves. */
interface Installed {
  packages: Component[];
  /** Ids of the packages that this one needs. */
  direct: string[];
  /** Ids of the packages that each of them needs, by its id. */
  needs: Map<string, string[]>;
}

/** The packages that npm installs with this one, in the versions of package-lock.json. */
export function installedPackages(): Installed {
  const lock = readLock();
  const packages = new Map<string, Component>();
  const needs = new Map<string, string[]>();
  const visit = (entry: LockEntry, folder: string): string[] =>
    Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }).map((name) => {
      const path = locate(lock, name, folder);
      const found = lock[path]!;
      const { version, license = 'see the text', integrity } = found;
      const component: Component = { type: 'library', name, version, licence: license, text: '', integrity };
      const id = componentId(component);
      if (!packages.has(id)) {
        packages.set(id, component);
        needs.set(id, []);
        needs.set(id, visit(found, `${path}/`));
      }
      return id;
    });
  const direct = visit(lock['']!, '');
  return { packages: [...packages.values()], direct, needs };
}

/** The folder of the package that a package gets for a name: in the innermost `node_modules` around it that has one. */
function locate(lock: Record<string, LockEntry>, name: string, folder: string): string {
  const path = `${folder}node_modules/${name}`;
  if (path in lock) return path;
  if (folder === '') throw new Error(`package-lock.json has no ${name}. Run npm install.`);
  return locate(lock, name, folder.slice(0, folder.lastIndexOf('node_modules/')));
}
