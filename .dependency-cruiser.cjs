/** Who may import whom. A new rule needs a reason; an exception needs a better one. */
const folder = (...names) => `^src/(${names.join('|')})/`;
/** Foreign keys join tables of different features; tests may look anywhere. */
const ENTITY = '\\.entity\\.ts$';
const TEST = '\\.(test|test-support)\\.ts$';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'What imports each other cannot be understood, tested or moved apart. Entities may, for foreign keys.',
      severity: 'error',
      from: { pathNot: [ENTITY] },
      to: { circular: true, viaOnly: { pathNot: [ENTITY], dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      comment: 'A file that nobody imports is dead, or was forgotten where modules and migrations are listed by hand.',
      severity: 'error',
      from: {
        orphan: true,
        path: '^(src|migrations)/',
        pathNot: [
          TEST,
          '^src/(main|database/cli|asterisk/cel/ship-cel|asterisk/inspect/inspect-pbx|asterisk/audit/audit)\\.ts$',
        ],
      },
      to: {},
    },
    {
      name: 'domain-is-pure',
      comment: 'A call is a pure fold of its facts: no framework, database, clock or chance can make it another.',
      severity: 'error',
      from: { path: '^src/calls/domain/', pathNot: [TEST] },
      to: { pathNot: ['^src/calls/domain/', '^node_modules/zod/'] },
    },
    {
      name: 'common-knows-no-feature',
      comment: 'Everybody imports common; if it knew a feature, everybody would.',
      severity: 'error',
      from: { path: folder('common'), pathNot: [TEST] },
      to: { path: '^src/', pathNot: [folder('common', 'config')] },
    },
    {
      name: 'config-stands-alone',
      comment: 'Settings are read before anything else exists.',
      severity: 'error',
      from: { path: folder('config'), pathNot: [TEST] },
      to: { path: '^src/', pathNot: [folder('config')] },
    },
    {
      name: 'http-knows-no-feature',
      comment: 'What lies between socket and route is the same for every feature.',
      severity: 'error',
      from: { path: folder('http'), pathNot: [TEST] },
      to: { path: '^src/', pathNot: [folder('http', 'common', 'config', 'database', 'metrics')] },
    },
    {
      name: 'calls-know-no-consumer',
      comment: 'Every arrow points the same way: the record does not depend on who reads it.',
      severity: 'error',
      from: { path: folder('calls'), pathNot: [TEST, ENTITY] },
      to: { path: folder('asterisk', 'contacts', 'crm', 'webhooks', 'screen-pop', 'queues') },
    },
    {
      name: 'consumers-see-only-events',
      comment:
        'Consumers see the published contract, the after-commit port and the read model, so that a worker process can run alone.',
      severity: 'error',
      from: { path: folder('contacts', 'crm', 'webhooks', 'screen-pop', 'outbox', 'queues'), pathNot: [TEST, ENTITY] },
      to: {
        path: '^src/calls/',
        pathNot: ['^src/calls/domain/(call|call-event)\\.ts$', '^src/calls/after-commit\\.ts$', ENTITY],
      },
    },
    {
      name: 'crm-adapters-see-their-port',
      comment:
        'Whoever writes an adapter reads the port and nothing else: no framework, environment, secret, retry or raw HTTP.',
      severity: 'error',
      from: { path: '^src/crm/adapters/([^/]+)/', pathNot: [TEST] },
      to: { pathNot: ['^src/crm/port/', '^node_modules/zod/', '^src/crm/adapters/$1/'] },
    },
    {
      name: 'contacts-know-no-crm',
      comment: 'Who has a number is answered while every CRM is away; the index knows of them what their port says.',
      severity: 'error',
      from: { path: folder('contacts'), pathNot: [TEST, ENTITY] },
      to: { path: folder('crm', 'screen-pop', 'webhooks'), pathNot: ['^src/crm/port/'] },
    },
    {
      name: 'numbers-are-matched-purely',
      comment: 'Which numbers agree, and who stands first, depends on nothing but what is given.',
      severity: 'error',
      from: { path: '^src/contacts/(number-forms|split-field|match)\\.ts$' },
      to: { pathNot: ['^src/contacts/(number-forms|split-field|match)\\.ts$', '^src/numbers/', '^src/crm/port/'] },
    },
    {
      name: 'asterisk-behind-its-port',
      comment: 'ARI words stay in one folder; the rest speaks of legs and calls, through calls/telephony-switch.ts.',
      severity: 'error',
      from: { path: '^src/', pathNot: [folder('asterisk'), '^src/app\\.module\\.ts$', TEST] },
      to: { path: folder('asterisk') },
    },
    {
      name: 'ari-client-contained',
      comment: 'The library’s faults are caught at one place.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/asterisk/session/'] },
      to: { path: '^node_modules/(@types/)?ari-client/' },
    },
    {
      name: 'one-guarded-client',
      comment:
        'Requests to addresses that users give go through the guard against private networks; only the PBX is called directly.',
      severity: 'error',
      from: { path: '^src/', pathNot: [folder('egress', 'asterisk'), TEST] },
      to: { path: '^(node_modules/(undici|axios|got|node-fetch)/|(node:)?https$)' },
    },
    {
      name: 'composition-only-at-the-root',
      comment: 'The root knows every module, so nobody may know the root.',
      severity: 'error',
      from: { path: '^src/[^/]+/' },
      to: { path: '^src/(app\\.module|create-app|main)\\.ts$' },
    },
    {
      name: 'product-without-its-lab',
      comment: 'What is installed runs without the lab, the tests and the bench.',
      severity: 'error',
      from: { path: '^(src|migrations)/', pathNot: [TEST] },
      to: { path: '^(lab|test|bench|scripts)/' },
    },
    {
      name: 'no-dev-dependency-in-the-product',
      comment: 'It is not there after `npm ci --omit=dev`.',
      severity: 'error',
      from: { path: '^(src|migrations)/', pathNot: [TEST] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: '^node_modules/@types/' },
    },
    {
      name: 'no-undeclared-dependency',
      comment: 'A package that only another one brought may be gone tomorrow.',
      severity: 'error',
      from: { path: '^(src|migrations|lab|test)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
    {
      name: 'no-shared-barrels',
      comment: 'A barrel hides who needs what, and loads everything for one thing. Migrations are listed in theirs.',
      severity: 'error',
      from: {},
      to: { path: '^src/.*/index\\.ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
