import { readdirSync, readFileSync, mkdirSync } from 'node:fs';
import pg from 'pg';
import { createDatabase, createPool } from '../../../db/client.ts';
import { startProduct } from '../../support/product.ts';
import { startLoadGenerator } from '../load/run-load.ts';
import { perSecond } from '../load/job.ts';
import { readProcessorTime } from '../processor-time.ts';
import { seedCards, seedProgrammes, settle } from '../seed.ts';
const PROF = process.argv[2] === 'prof';
const CONNS = Number(process.argv[3] ?? 256);
const dir = '/tmp/prof';
mkdirSync(dir, { recursive: true });
const product = await startProduct({
  apis: 1,
  environment: { LOG_LEVEL: 'info' },
  nodeArgs: PROF ? ['--cpu-prof', `--cpu-prof-dir=${dir}`] : [],
});
const inDb = (url: string) => {
  const u = new URL(url);
  u.pathname = '/cardloom';
  return u.href;
};
const admin = new pg.Client({ connectionString: inDb(product.urls.superuser) });
await admin.connect();
const owner = createDatabase(createPool({ url: inDb(product.urls.superuser), max: 2, name: 'bench' }));
const programmes = await seedProgrammes(owner, 1);
await seedCards(owner, { cards: 50000, cardsPerBalance: 1, topUps: 1, programmes, prefix: 'one-' });
await settle(admin);
const generator = startLoadGenerator();
const { certificate, key } = product.certificates.of.processor;
const job = (seconds: number, connections: number) => ({
  ports: product.ports,
  certificateFile: certificate,
  keyFile: key,
  caFile: product.certificates.ca,
  connections,
  seconds,
  cards: { prefix: 'one-', count: 50000 },
  amount: 100,
  rate: null,
});
const time = () =>
  readProcessorTime({
    api: product.apis.map((a) => a.pid() ?? 0),
    database: [product.postmasterPid() ?? 0],
    generator: [generator.pid],
  })!;
await generator.run(job(3, 64));
for (const c of CONNS === 0 ? [64, 256] : [CONNS, CONNS]) {
  const before = time();
  const r = await generator.run(job(6, c));
  const after = time();
  const n = r.approved + r.declined;
  console.log(
    c,
    Math.round(perSecond(r)),
    '/s',
    'p99',
    r.latencyMs.p99.toFixed(1),
    (['api', 'database', 'generator'] as const)
      .map((p) => `${p} ${Math.round(((after[p] - before[p]) * 1e6) / n)}`)
      .join(' '),
  );
}
generator.stop();
await admin.end();
await owner.destroy();
await product.stop();
if (PROF) {
  const file = readdirSync(dir)
    .filter((f) => f.endsWith('.cpuprofile'))
    .sort()
    .at(-1)!;
  const p = JSON.parse(readFileSync(`${dir}/${file}`, 'utf8'));
  const self = new Map<number, number>();
  for (let i = 0; i < p.samples.length; i++)
    self.set(p.samples[i], (self.get(p.samples[i]) ?? 0) + p.timeDeltas[i]);
  const byFn = new Map<string, number>();
  const byFile = new Map<string, number>();
  let total = 0;
  for (const node of p.nodes) {
    const t = self.get(node.id) ?? 0;
    const { functionName, url, lineNumber } = node.callFrame;
    const short = url.replace(/.*\/main\//, '').replace(/.*node_modules\//, 'nm/');
    if (functionName === '(idle)') continue;
    total += t;
    const f = `${functionName || 'anon'} ${short}:${lineNumber}`;
    byFn.set(f, (byFn.get(f) ?? 0) + t);
    byFile.set(short || functionName, (byFile.get(short || functionName) ?? 0) + t);
  }
  const top = (m: Map<string, number>, k: number) =>
    [...m]
      .sort((a, b) => b[1] - a[1])
      .slice(0, k)
      .map(([n, t]) => `${((t / total) * 100).toFixed(1).padStart(5)}% ${n}`)
      .join('\n');
  console.log('--- files');
  console.log(top(byFile, 45));
  console.log('--- functions');
  console.log(top(byFn, 60));
}
process.exit(0);
