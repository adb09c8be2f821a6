import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';

/** No credentials, wherever this runs. */
export const NO_AWS = {
  AWS_CONFIG_FILE: '/nowhere/config',
  AWS_SHARED_CREDENTIALS_FILE: '/nowhere/credentials',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_ACCESS_KEY_ID: '',
  AWS_SECRET_ACCESS_KEY: '',
  AWS_DEFAULT_REGION: '',
  AWS_REGION: '',
};

/** An index of 20 passages, and empty folders for projects. They are removed after the test file. */
export function projects(): { index: string; newProject: () => string } {
  const parent = temporaryFolder();
  const index = join(parent, 'index');
  writeRandomIndex(index, 20);
  return { index, newProject: () => mkdtempSync(join(parent, 'project-')) };
}
