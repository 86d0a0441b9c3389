import type { NativeConnection } from '@temporalio/worker';
import { searchAttributes } from '../temporal/search-attributes.ts';

const OLDEST_SERVER = [1, 29, 1];
const NOT_FOUND = 5;

/** What a worker cannot work with (operations 4, TEMPORAL): one line each; empty when all is well. */
export async function findServerFaults(connection: NativeConnection, namespace: string): Promise<string[]> {
  const faults: string[] = [];
  const { serverVersion } = await connection.workflowService.getSystemInfo({});
  if (isOlder(serverVersion ?? '')) faults.push(`the server is older than ${OLDEST_SERVER.join('.')}`);
  if (!(await hasNamespace(connection, namespace))) {
    return [...faults, `there is no namespace ${namespace}`];
  }
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.keys(searchAttributes).filter(
    (name) => !Object.hasOwn(customAttributes ?? {}, name),
  );
  if (missing.length > 0) faults.push(`search attributes are missing: ${missing.join(', ')}`);
  return faults;
}

async function hasNamespace(connection: NativeConnection, namespace: string): Promise<boolean> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return true;
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === NOT_FOUND)
      return false;
    throw error;
  }
}

/** A version we cannot read is not held against the server. */
function isOlder(version: string): boolean {
  const parts = version.split('-')[0]?.split('.').map(Number) ?? [];
  for (const [at, least] of OLDEST_SERVER.entries()) {
    const part = parts[at] ?? Number.NaN;
    if (Number.isNaN(part) || part > least) return false;
    if (part < least) return true;
  }
  return false;
}
