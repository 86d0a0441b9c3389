import { partnerRoute, soleProgramme } from '../partner-principal.ts';
import { z } from '../schemas/shared.ts';
import { FILE_REFUSALS, importIntake, importParts, takeImport } from '../user-imports.ts';

export const importUsers = partnerRoute({
  ...importIntake,
  operation: 'importUsers',
  role: { scopes: ['partner'] },
  owner: 'programme',
  body: z.strictObject(importParts),
  refusals: FILE_REFUSALS,
  handle: async (call) => await takeImport(call, soleProgramme(call.principal), '/lifecycle/v1'),
});
