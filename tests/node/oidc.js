// An issuer (npm oidc-provider) on a free loopback port. The first line printed is the port.
//
//   node oidc.js [OPTION=VALUE …]
//     ttl=SECONDS        life of access tokens (default 300)
//     refresh-ttl=S      life of refresh tokens (default 3600)
//     drop=SCOPE         a scope that the API does not know: it is dropped without a word
//     opaque=1           tokens after a refresh are opaque, those before JWTs
//     cert=FILE key=FILE serve https with these
//     ca=FILE            require client certificates of this authority (mTLS)
//
// A test steers it on a second, plain port, printed on the first line after the issuer's:
//   POST /approve?user_code=C[&login=ada]   signs in and consents, as a person with a browser would
//   POST /deny?user_code=C                  says no
//   GET  /counts                            how many requests of each grant, and how many invalid_grant
//   POST /expire                            every refresh token is worth nothing from now on
//   GET  /metrics                           exposition for a token of this issuer with flags:read that has not
//                                           ended, else 401 or 403
'use strict';

process.on('unhandledRejection', (error) => {
  console.error(error);
  process.exit(1);
});

const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const options = Object.fromEntries(process.argv.slice(2).map((text) => text.split(/=(.*)/s).slice(0, 2)));
const ttl = Number(options.ttl ?? 300);
const refreshTtl = Number(options['refresh-ttl'] ?? 3600);
const resource = 'https://flags.example.com/launch';
const known = ['flags:read', 'audit:read'].filter((scope) => scope !== options.drop);

const counts = { device_code: 0, pending: 0, refresh_token: 0, client_credentials: 0, invalid_grant: 0, revoked: 0 };

const people = {
  ada: { preferred_username: 'ada', email: 'ada@corp', roles: ['launch-commander', 'qa'] },
  bob: { preferred_username: 'bob', email: 'bob@corp', roles: [] },
};

// ES modules are not looked for in NODE_PATH.
async function load() {
  for (const folder of (process.env.NODE_PATH ?? '').split(path.delimiter).filter(Boolean)) {
    const file = path.join(folder, 'oidc-provider', 'lib', 'index.js');
    if (fs.existsSync(file)) return (await import(pathToFileURL(file))).default;
  }
  return (await import('oidc-provider')).default;
}

function listen(server) {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
}

(async () => {
  // The provider greets and warns on standard output, whose first line is for the test.
  console.info = console.warn = console.log = (...all) => console.error(...all);
  const Provider = await load();
  let handler = (request, response) => response.writeHead(503).end();
  const serve = (request, response) => handler(request, response);
  const tls = options.cert && {
    cert: fs.readFileSync(options.cert),
    key: fs.readFileSync(options.key),
    ...(options.ca ? { ca: fs.readFileSync(options.ca), requestCert: true, rejectUnauthorized: true } : {}),
  };
  const server = tls ? https.createServer(tls, serve) : http.createServer(serve);
  const port = await listen(server);
  const issuer = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;

  const issued = new Map();
  const grants = new Set();
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'gonogo',
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
        response_types: [],
        redirect_uris: [],
      },
      {
        client_id: 'worker:1',
        client_secret: 's3cret client/secret+%',
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
      },
    ],
    claims: { openid: ['sub', 'roles', 'preferred_username', 'email'] },
    conformIdTokenClaims: false,
    scopes: ['openid', 'offline_access', ...known],
    features: {
      deviceFlow: { enabled: true, mask: '****-****' },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      userinfo: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx) => ({
          scope: known.join(' '),
          audience: resource,
          accessTokenTTL: ttl,
          accessTokenFormat: options.opaque === '1' && ctx.oidc?.params?.grant_type === 'refresh_token' ? 'opaque' : 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    rotateRefreshToken: true,
    issueRefreshToken: () => true,
    ttl: {
      AccessToken: ttl,
      ClientCredentials: ttl,
      RefreshToken: refreshTtl,
      DeviceCode: 120,
      Grant: 7200,
      IdToken: 300,
      Interaction: 120,
      Session: 7200,
    },
    findAccount: (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, ...people[id] }) }),
  });
  provider.on('grant.success', (ctx) => {
    const grant = ctx.oidc.params.grant_type.split(':').pop();
    counts[grant] += 1;
    const { access_token: token, expires_in: life, scope } = ctx.body;
    issued.set(token, { ends: Date.now() + life * 1000, scope: String(scope ?? '') });
  });
  provider.on('grant.error', (ctx, error) => {
    if (error.message === 'authorization_pending') counts.pending += 1;
    if (error.message === 'invalid_grant') counts.invalid_grant += 1;
  });
  provider.on('grant.revoked', () => (counts.revoked += 1));
  provider.on('server_error', (ctx, error) => console.error(error));
  handler = provider.callback();

  // What a person does in a browser, done to the device code itself: signs in, and consents to all.
  async function decide(userCode, login) {
    const normal = userCode.replace(/[^A-Z]/gi, '').toUpperCase();
    const code = await provider.DeviceCode.findByUserCode(normal, { ignoreExpiration: true });
    if (!code) return false;
    if (login === null) {
      Object.assign(code, { error: 'access_denied', errorDescription: 'the person said no' });
    } else {
      const client = await provider.Client.find(code.clientId);
      const grant = new provider.Grant({ accountId: login, clientId: client.clientId });
      const asked = String(code.params.scope ?? '').split(' ');
      grant.addOIDCScope(asked.filter((scope) => ['openid', 'offline_access'].includes(scope)).join(' '));
      grant.addOIDCClaims(['roles', 'preferred_username', 'email']);
      grant.addResourceScope(resource, asked.filter((scope) => known.includes(scope)).join(' '));
      const grantId = await grant.save();
      grants.add(grantId);
      Object.assign(code, {
        accountId: login,
        grantId,
        scope: asked.filter((scope) => ['openid', 'offline_access', ...known].includes(scope)).join(' '),
        claims: { id_token: { roles: null, preferred_username: null, email: null } },
        resource,
        authTime: Math.floor(Date.now() / 1000),
        sessionUid: 'test',
        expiresWithSession: false,
      });
    }
    await code.save();
    return true;
  }

  const steering = http.createServer(async (request, response) => {
    const url = new URL(request.url, 'http://x');
    const answer = (status, body, headers = {}) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    if (url.pathname === '/approve' || url.pathname === '/deny') {
      const login = url.pathname === '/deny' ? null : url.searchParams.get('login') ?? 'ada';
      return answer((await decide(url.searchParams.get('user_code'), login)) ? 200 : 404, {});
    }
    if (url.pathname === '/counts') return answer(200, counts);
    if (url.pathname === '/expire') {
      for (const grant of grants) await provider.RefreshToken.revokeByGrantId(grant);
      return answer(200, {});
    }
    if (url.pathname === '/metrics') {
      const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
      const found = issued.get(token);
      if (!found || found.ends < Date.now()) {
        const challenge = 'Basic realm="ops", Bearer error="invalid_token", error_description="it has ended", scope="flags:read"';
        return answer(401, {}, { 'www-authenticate': challenge });
      }
      if (!found.scope.split(' ').includes('flags:read')) {
        return answer(403, {}, { 'www-authenticate': 'Bearer error="insufficient_scope", scope="flags:read"' });
      }
      return response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end('tasks_up 1\n');
    }
    return answer(404, {});
  });
  const steeringPort = await listen(steering);
  process.stdout.write(`${port} ${steeringPort}\n`);
})();
