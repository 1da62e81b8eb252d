import { describe, expect, it } from 'vitest';
import { readConfig, SettingsError } from './config.js';

const needed = { DATABASE_URL: 'postgres://db/ringline' };

describe('settings', () => {
  it('have defaults that fit together', () => {
    const config = readConfig(needed);
    expect(config.http).toMatchObject({ host: '127.0.0.1', port: 3000, publicUrl: 'http://127.0.0.1:3000' });
    expect(config.metrics).toEqual({ host: '127.0.0.1', port: 9464 });
    expect(config.runMigrations).toBe(true);
    expect(readConfig({ ...needed, NODE_ENV: 'production', SECRET_KEY: 'a'.repeat(64) }).runMigrations).toBe(false);
    expect(readConfig({ ...needed, REDIS_URL: '' }).redisUrl).toBe('redis://127.0.0.1:6379');
  });

  it('cannot be changed after they were read', () => {
    const config = readConfig(needed);
    expect(() => Object.assign(config.http, { port: 1 })).toThrow(TypeError);
  });

  it('name every wrong variable at once', () => {
    const wrong = {
      NODE_ENV: 'production',
      PORT: '70000',
      ROLE: 'telephony',
      METRICS_LISTEN: 'nine',
      TRUST_PROXY: '10.0.0.0/8,elsewhere',
      CORS_ORIGINS: 'https://crm.example.com/path',
      BOOTSTRAP_API_KEY: 'short',
      EVENT_QUEUES: 'a:b',
      RECORD_ARI: 'streams',
      WEBHOOK_RETRY_SECONDS: '0,soon',
    };
    expect(faultsOf(wrong).toSorted()).toEqual(
      [...Object.keys(wrong), 'DATABASE_URL'].toSorted().filter((name) => name !== 'NODE_ENV'),
    );
    expect(faultsOf({ ...needed, NODE_ENV: 'production' })).toEqual(['SECRET_KEY']);
    expect(() => readConfig({})).toThrow('DATABASE_URL: is required');
  });
});

function faultsOf(env: Record<string, string>): string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map(({ variable }) => variable);
  }
}
