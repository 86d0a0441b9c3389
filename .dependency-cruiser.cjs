// The dependency rule of the tree: who may import whom. One entry a folder; what is not listed is refused.
const allowed = {
  domain: ['domain'],
  db: ['db', 'domain'],
  vault: ['vault', 'domain'],
  temporal: ['temporal', 'domain', 'workflows'],
  workflows: ['workflows', 'domain', 'activities'],
  activities: ['activities', 'domain', 'db', 'vault'],
  worker: ['worker', 'activities', 'db', 'domain', 'temporal', 'vault'],
  api: ['api', 'domain', 'db', 'vault', 'temporal', 'activities'],
  simulators: ['simulators'],
  cli: ['cli', 'domain', 'db', 'vault', 'temporal'],
};
const folders = Object.keys(allowed);
const collaborators = [
  'authorization',
  'company-registry',
  'database',
  'processor',
  'partner',
  'kyc-provider',
  'messaging',
];
const channels = ['customers', 'secure', 'lifecycle', 'admin', 'processor', 'public'];
const simulators = ['processor', 'partner', 'kyc-provider', 'inbox'];

module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'not-resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...folders.map((folder) => ({
      name: `${folder}-imports`,
      severity: 'error',
      from: { path: `^${folder}/` },
      to: {
        path: `^(${[...folders, 'test'].join('|')})/`,
        pathNot: allowed[folder].map((one) => `^${one}/`),
      },
    })),
    {
      name: 'domain-is-pure',
      severity: 'error',
      from: { path: '^domain/', pathNot: '^domain/country.ts$' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'core'] },
    },
    {
      name: 'workflows-see-activities-as-types',
      severity: 'error',
      from: { path: '^(workflows|temporal)/' },
      to: {
        path: '^(activities|workflows)/',
        dependencyTypesNot: ['type-only'],
        pathNot: '^(workflows|activities/[^/]+/results.ts)',
      },
    },
    {
      name: 'temporal-sees-workflows-as-types',
      severity: 'error',
      from: { path: '^temporal/' },
      to: { path: '^workflows/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'workflows-have-no-node',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'clients-know-only-http',
      severity: 'error',
      from: { path: '^activities/[^/]+/client.ts$' },
      to: { path: '^(db/|temporal/|workflows/|node_modules/@temporalio/)' },
    },
    {
      name: 'api-calls-clients-not-activities',
      severity: 'error',
      from: { path: '^api/' },
      to: {
        path: '^activities/',
        pathNot: '^activities/(authorization/|[^/]+/client.ts$|[^/]+/schemas.ts$|http-client.ts$)',
      },
    },
    ...collaborators.map((one) => ({
      name: `activities-${one}-apart`,
      severity: 'error',
      from: { path: `^activities/${one}/` },
      to: { path: `^activities/(${collaborators.filter((other) => other !== one).join('|')})/` },
    })),
    ...channels.map((one) => ({
      name: `channel-${one}-apart`,
      severity: 'error',
      from: { path: `^api/${one}/` },
      to: { path: `^api/(${channels.filter((other) => other !== one).join('|')})/` },
    })),
    ...simulators.map((one) => ({
      name: `simulator-${one}-apart`,
      severity: 'error',
      from: { path: `^simulators/${one}/` },
      to: { path: `^simulators/(${simulators.filter((other) => other !== one).join('|')})/` },
    })),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      extensions: ['.ts', '.tsx', '.js', '.mjs'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(node_modules|test/replay/histories)' },
  },
};
