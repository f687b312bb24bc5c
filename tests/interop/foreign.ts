/** Packages that only these tests want and that are too large for everybody's installation. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The folder into which they were installed, `npm install --prefix FOLDER node-av@6.1.1 shaka-player@5.2.12`, when the
 * package is there; else null.
 */
export function foreignFolder(name: string): string | null {
  const folder = process.env['NACRE_TEST_FOREIGN'];
  return folder && existsSync(join(folder, 'node_modules', name)) ? folder : null;
}

export const missing = (name: string): string => (
  `${name} is not here: npm install --prefix FOLDER ${name}, and NACRE_TEST_FOREIGN=FOLDER`
);
