// A server that speaks OFREP, bulk and single, over flagd's own evaluation. The first line printed is its port.
//
//   node ofrep.js
//
// As flagd does, it sends no ETag, and leaves flags that are disabled out of bulk answers. A test steers it:
//   PUT /flags         the flag definitions, as a flagd file
//   PUT /bulk?on=0     answers 404 to bulk evaluation from now on
'use strict';

const http = require('node:http');
const { FlagdCore } = require('@openfeature/flagd-core');

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const core = new FlagdCore(undefined, silent);
let bulk = true;

const told = (key, { value, reason, variant, errorCode, errorMessage, flagMetadata }) => {
  const body = { key, reason, variant, metadata: flagMetadata };
  if (errorCode) Object.assign(body, { errorCode, errorDetails: errorMessage });
  // Absent where the flag is disabled.
  if (value !== null && value !== undefined) body.value = value;
  return body;
};

const answer = (method, path, text) => {
  if (method === 'PUT' && path === '/flags') {
    core.setConfigurations(text);
    return [204];
  }
  if (method === 'PUT' && path.startsWith('/bulk')) {
    bulk = path.endsWith('on=1');
    return [204];
  }
  const [, of] = path.match(/^\/ofrep\/v1\/evaluate\/flags(?:\/(.+))?$/) ?? [null, null];
  if (method !== 'POST' || !path.startsWith('/ofrep/v1/evaluate/flags')) return [404, { message: 'no such path' }];
  const { context } = JSON.parse(text);
  if (of === undefined) {
    if (!bulk) return [404, { message: 'no such path' }];
    return [200, { flags: core.resolveAll(context, silent).map((flag) => told(flag.flagKey, flag)) }];
  }
  const key = decodeURIComponent(of);
  const flag = core.getFlag(key);
  if (!flag) return [404, { key, errorCode: 'FLAG_NOT_FOUND', errorDetails: `flag ${key} not found` }];
  const type = typeof flag.variants.values().next().value;
  const evaluated = told(key, core.resolve(type, key, null, context, silent));
  return [evaluated.errorCode ? 400 : 200, evaluated];
};

const server = http.createServer((request, response) => {
  let text = '';
  request.on('data', (chunk) => (text += chunk));
  request.on('end', () => {
    const [status, body] = answer(request.method, request.url, text);
    response.writeHead(status, body && { 'Content-Type': 'application/json' });
    response.end(body && JSON.stringify(body));
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
