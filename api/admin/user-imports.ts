import { adminRoute, programmeOfCode } from '../operator-principal.ts';
import { issuerCode, z } from '../schemas/shared.ts';
import { FILE_REFUSALS, importIntake, importParts, takeImport } from '../user-imports.ts';

export const importUsers = adminRoute({
  ...importIntake,
  operation: 'adminImportUsers',
  permission: 'imports',
  body: z.strictObject({ ...importParts, issuerCode: issuerCode() }),
  refusals: ['PROGRAMME_NOT_FOUND', ...FILE_REFUSALS],
  handle: async (call) =>
    await takeImport(call, programmeOfCode(call.principal, call.body.issuerCode), '/admin'),
});
