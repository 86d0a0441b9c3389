import { integer, oneOf, type Setting, text, type ValuesOf } from '../domain/settings.ts';
import { failpointFault } from './failpoints.ts';

const failpoints: Setting<string | null> = {
  ...text('where tests break this process'),
  parse: (value) => {
    const fault = failpointFault(value);
    return fault === null ? { value } : { fault };
  },
};

/** Settings of every process that talks to PostgreSQL (operations 3). */
export const databaseSettings = {
  DATABASE_URL: text('connection of the channels, role cardloom_app', {
    required: 'in-production',
    secret: true,
  }),
  DATABASE_ENGINE_URL: text('connection of lanes, relay and jobs, role cardloom_engine', {
    required: 'in-production',
    secret: true,
  }),
  DATABASE_OWNER_URL: text('connection of migrations, role cardloom_owner', { secret: true }),
  DATABASE_CA_FILE: text('certificate authority of the database server'),
  DATABASE_SSL: oneOf('TLS to the database', ['off', 'require', 'verify-full'], {
    default: 'off',
    production: 'verify-full',
  }),
  DB_POOL_AUTH: integer('connections for authorizations', { default: '8', min: 1, max: 200 }),
  DB_POOL_API: integer('connections for channels', { default: '12', min: 1, max: 200 }),
  DB_POOL_REPORT: integer('connections for reports', { default: '4', min: 1, max: 200 }),
  FAILPOINTS: failpoints,
  DB_POOL_WORKER: integer('connections of the worker', { default: '12', min: 1, max: 200 }),
};

export type DatabaseSettings = ValuesOf<typeof databaseSettings>;
