import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { operatorEnvironment } from './child-environment.ts';
import type { DemoFacts } from './quickstart.ts';
import { addressesOf, simulatorToken, type Stack } from './stack.ts';

/** The demo partner, its programmes and switches in the database of the stack, inserted once (operations 1). */
export async function seedDemoData(stack: Stack): Promise<DemoFacts> {
  const { seedDemo } = (await import(pathToFileURL(join(stack.projectDir, 'cli/demo-data.ts')).href)) as {
    seedDemo: (options: object) => Promise<DemoFacts>;
  };
  const at = addressesOf(stack);
  const { of } = stack.certificates;
  const pem = (name: keyof typeof of) => readFileSync(of[name].certificate, 'utf8');
  return await seedDemo({
    ownerUrl: stack.database.owner,
    certificates: {
      demo: pem('demo'),
      processor: pem('processor'),
      ims: pem('ims'),
      binSponsor: pem('bin-sponsor'),
    },
    partnerUrl: stack.values.PARTNER_URL ?? at.partnerUrl,
    partnerControlUrl: at.partnerControlUrl,
    simulatorToken: simulatorToken(stack),
    engineUrl: stack.database.engine,
    environment: operatorEnvironment(stack),
    say: (line: string) => process.stderr.write(`  ${line}\n`),
  });
}
