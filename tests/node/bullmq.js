// One replica of a BullMQ worker: it works off all queues and has an HTTP endpoint that sends the metrics
// of all of them, beside prom-client's, as a real worker does. The first line printed is its port.
//
//   node bullmq.js REDIS_PORT
//
// A test steers the queues through any replica:
//   POST /add?queue=Q&count=N[&priority=P][&delay=MS][&fail=1][&ms=M]   puts jobs in
//   POST /pause?queue=Q, /resume?queue=Q                               pauses and resumes a queue
//   GET  /api?queue=Q                                                   what the queue's own API says
'use strict';

// A server whose parts are missing ends at once, instead of trying for ever.
process.on('unhandledRejection', (error) => {
  console.error(error);
  process.exit(1);
});

const http = require('node:http');
const { Queue, Worker, MetricsTime } = require('bullmq');
const prom = require('prom-client');

const connection = { host: '127.0.0.1', port: Number(process.argv[2]) };
// `uncounted` is worked off without `metrics`: its totals stand still at 0.
const names = ['tasks', 'billing', 'mail', 'uncounted'];
const queues = new Map(names.map((name) => [name, new Queue(name, { connection })]));

const registry = new prom.Registry();
prom.collectDefaultMetrics({ register: registry });
const duration = new prom.Histogram({
  name: 'tasks_job_duration_seconds',
  help: 'Duration of one attempt at a job, by queue.',
  labelNames: ['queue'],
  registers: [registry],
});

const work = async (job) => {
  const done = duration.startTimer({ queue: job.queueName });
  await new Promise((resolve) => setTimeout(resolve, job.data.ms));
  done();
  if (job.data.fail) throw new Error('as the test asked');
};

const workers = names.map((name) => new Worker(name, work, {
  connection,
  concurrency: 2,
  ...(name === 'uncounted' ? {} : { metrics: { maxDataPoints: MetricsTime.ONE_HOUR } }),
}));
// A server that is gone does not come back in a test: complaining about it for ever would fill the disk.
[...queues.values(), ...workers].forEach((each) => each.on('error', () => {}));

async function metrics() {
  const parts = [];
  for (const queue of queues.values()) parts.push(await queue.exportPrometheusMetrics());
  parts.push(await registry.metrics());
  return parts.join('\n');
}

async function api(queue) {
  const counts = await queue.getJobCounts();
  const [completed, failed] = await Promise.all([queue.getMetrics('completed'), queue.getMetrics('failed')]);
  return { counts, completed: completed.meta.count, failed: failed.meta.count, paused: await queue.isPaused() };
}

async function answer(url) {
  if (url.pathname === '/metrics') return { type: 'text/plain', body: await metrics() };
  const query = url.searchParams;
  const number = (name) => Number(query.get(name) ?? 0);
  const queue = queues.get(query.get('queue'));
  if (url.pathname === '/add') {
    const data = { ms: number('ms'), fail: query.has('fail') };
    const opts = { priority: number('priority'), delay: number('delay') };
    await queue.addBulk(Array.from({ length: number('count') }, () => ({ name: 'job', data, opts })));
  }
  if (url.pathname === '/pause') await queue.pause();
  if (url.pathname === '/resume') await queue.resume();
  return { type: 'application/json', body: JSON.stringify(await api(queue)) };
}

const server = http.createServer((request, response) => {
  answer(new URL(request.url, 'http://localhost')).then(
    (found) => response.writeHead(200, { 'Content-Type': found.type }).end(found.body),
    (error) => response.writeHead(500).end(error.message),
  );
});

Promise.all([...queues.values(), ...workers].map((each) => each.waitUntilReady()))
  .then(() => server.listen(0, '127.0.0.1', () => console.log(server.address().port)));
