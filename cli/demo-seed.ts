import { readFileSync } from 'node:fs';
import { platformEnvironment } from './child-environment.ts';
import { seedDemo } from './demo-data.ts';
import type { DemoFacts } from './quickstart.ts';
import { demoPassword } from './secrets.ts';
import { addressesOf, simulatorToken, type Stack } from './stack.ts';

/** The demo partner, its programmes and switches in the database of `stack`, inserted once (operations 1). */
export async function seedDemoData(stack: Stack, say: (line: string) => void): Promise<DemoFacts> {
  const at = addressesOf(stack);
  const { of } = stack.certificates;
  const pem = (name: keyof typeof of) => readFileSync(of[name].certificate, 'utf8');
  return await seedDemo({
    ownerUrl: stack.database.owner,
    engineUrl: stack.database.engine,
    certificates: {
      demo: pem('demo'),
      processor: pem('processor'),
      ims: pem('ims'),
      binSponsor: pem('bin-sponsor'),
    },
    partnerUrl: stack.values.PARTNER_URL ?? at.partnerUrl,
    partnerControlUrl: at.partnerControlUrl,
    simulatorToken: simulatorToken(stack),
    environment: platformEnvironment(stack),
    operatorPassword: (email) => demoPassword(stack.secrets.demoOperators, email),
    say,
  });
}
