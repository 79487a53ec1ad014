// A real Unleash server on a PostgreSQL database that is there and empty. The first line printed is its port.
//
//   node unleash.js POSTGRES_PORT
//
// Its API tokens are fixed, so that a test can ask as each: an admin, and a client of two environments.
'use strict';

const path = require('node:path');
const { pathToFileURL } = require('node:url');

const token = (tokenName, type, environment, secret) => ({
  tokenName,
  type,
  environment,
  project: '*',
  projects: ['*'],
  secret,
});

async function main() {
  // The package is an ES module, which NODE_PATH is not looked up for.
  const entry = path.join(process.env.NODE_PATH, 'unleash-server/dist/lib/server-impl.js');
  const { start } = await import(pathToFileURL(entry).href);
  const unleash = await start({
    db: {
      host: '127.0.0.1',
      port: Number(process.argv[2]),
      user: 'postgres',
      database: 'postgres',
      ssl: false,
    },
    server: { port: 0, host: '127.0.0.1', enableRequestLogger: false, gracefulShutdownEnable: false },
    authentication: {
      createAdminUser: true,
      initApiTokens: [
        token('ravi', 'admin', '*', '*:*.admin-secret-of-the-test'),
        token('room', 'client', 'production', '*:production.client-secret-of-the-test'),
        token('room-dev', 'client', 'development', '*:development.client-secret-of-the-test'),
      ],
    },
    versionCheck: { enable: false },
    telemetry: false,
    // What changed is served at once, not out of a cache of some seconds.
    clientFeatureCaching: { enabled: false, maxAge: 0 },
    disableScheduler: false,
    getLogger: () => ({
      debug: () => {},
      info: () => {},
      warn: () => {},
      error: (...all) => console.error(...all),
      fatal: (...all) => console.error(...all),
    }),
  });
  console.log(unleash.server.address().port);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
