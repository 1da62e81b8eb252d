import { NestFactory } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
import { beforeAll, describe, expect, it } from 'vitest';
import { AppModule } from '../../src/app.module.js';
import { readConfig } from '../../src/config/config.js';
import { buildOpenApi } from '../../src/http/openapi.js';
import { noLog } from '../support/no-log.js';

describe('openapi.json', () => {
  let document: OpenAPIObject;

  beforeAll(async () => {
    // Preview: routes are read, nothing is made, so neither a database nor a folder is needed.
    const config = readConfig({ DATABASE_URL: 'postgres://nowhere' });
    const app = await NestFactory.create(AppModule.compose(config, noLog), { preview: true, logger: false });
    document = buildOpenApi(app);
  });

  it('is what the code says; `npm run openapi` writes it', async () => {
    await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot('../../openapi.json');
  });

  it('has a summary, an id of its own and an answer for every operation', () => {
    const all = operations(document);
    expect(all.length).toBeGreaterThan(20);
    for (const { name, operation } of all) {
      expect(operation.summary, name).toBeTruthy();
      expect(
        Object.keys(operation.responses).some((status) => status.startsWith('2')),
        name,
      ).toBe(true);
    }
    const ids = all.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('refers only to schemas that it has', () => {
    const text = JSON.stringify(document);
    const names = new Set([...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1]));
    expect([...names].filter((name) => !document.components?.schemas?.[name ?? ''])).toEqual([]);
  });

  it('says which scope each route of /v1 needs, but for those a stream token, a link or a door’s random part opens', () => {
    const open = operations(document).filter(({ name, operation }) => name.includes(' /v1/') && !operation.security);
    expect(open.map(({ name }) => name)).toEqual([
      'get /v1/recording-links/{token}',
      'get /v1/stream',
      'get /v1/hooks/{connectionId}/{random}',
      'post /v1/hooks/{connectionId}/{random}',
    ]);
  });
});

function operations(document: OpenAPIObject) {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    (['get', 'post', 'patch', 'put', 'delete'] as const).flatMap((method) => {
      const operation = item[method];
      return operation ? [{ name: `${method} ${path}`, operation }] : [];
    }),
  );
}
