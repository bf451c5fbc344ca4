// node check.mjs FILE...: tells, one line each, every field in these manifests that Kubernetes does not know, and every value of a wrong type.
// Built-in kinds: required fields and types by kubernetes-models' schemas, unknown fields by the official client's models. Others: by the list below.
import { readFileSync } from 'node:fs';
import * as client from '@kubernetes/client-node';
import { loadAll } from 'js-yaml';

// A leaf is its type; [] an array of; '*' any keys.
const name = { name: 'string', namespace: 'string', labels: { '*': 'string' }, annotations: { '*': 'string' } };
const custom = {
  'dapr.io/v1alpha1 Component': {
    apiVersion: 'string', kind: 'string', metadata: name, scopes: ['string'],
    spec: {
      type: 'string', version: 'string', ignoreErrors: 'boolean', initTimeout: 'string',
      metadata: [{ name: 'string', value: 'string', envRef: 'string', secretKeyRef: { name: 'string', key: 'string' } }],
    },
  },
  'dapr.io/v1alpha1 Configuration': {
    apiVersion: 'string', kind: 'string', metadata: name,
    spec: {
      workflow: {
        maxConcurrentWorkflowInvocations: 'number', maxConcurrentActivityInvocations: 'number',
        stateRetentionPolicy: { anyTerminal: 'string', completed: 'string', failed: 'string', terminated: 'string' },
      },
    },
  },
  'dapr.io/v1alpha1 Resiliency': {
    apiVersion: 'string', kind: 'string', metadata: name, scopes: ['string'],
    spec: {
      policies: { timeouts: { '*': 'string' }, retries: { '*': { policy: 'string', duration: 'string', maxInterval: 'string', maxRetries: 'number' } } },
      targets: { components: { '*': { inbound: { retry: 'string', timeout: 'string' }, outbound: { retry: 'string', timeout: 'string' } } } },
    },
  },
  'monitoring.coreos.com/v1 ServiceMonitor': {
    apiVersion: 'string', kind: 'string', metadata: name,
    spec: { selector: { matchLabels: { '*': 'string' } }, endpoints: [{ port: 'string', path: 'string', interval: 'string' }] },
  },
  'keda.sh/v1alpha1 ScaledObject': {
    apiVersion: 'string', kind: 'string', metadata: name,
    spec: {
      scaleTargetRef: { name: 'string' }, minReplicaCount: 'number', maxReplicaCount: 'number',
      triggers: [{ type: 'string', metadata: { '*': 'string' } }],
    },
  },
};

let faults = 0;
const tell = (where, what) => {
  faults++;
  console.log(`${where}: ${what}`);
};

function byList(value, shape, where) {
  if (typeof shape === 'string') {
    if (typeof value !== shape) tell(where, `is ${JSON.stringify(value)}, expected a ${shape}`);
  } else if (Array.isArray(shape)) {
    if (!Array.isArray(value)) tell(where, 'is no list');
    else value.forEach((item, i) => byList(item, shape[0], `${where}[${i}]`));
  } else if (value === null || typeof value !== 'object') {
    tell(where, 'is no object');
  } else {
    for (const [key, inner] of Object.entries(value)) {
      const known = shape[key] ?? shape['*'];
      if (known) byList(inner, known, `${where}.${key}`);
      else tell(`${where}.${key}`, 'is unknown');
    }
  }
}

// The generated models say each field's type as text: V1PodSpec, Array<V1Container>, { [key: string]: string; }.
function byModel(value, type, where) {
  const list = /^(?:Array|Set)<(.*)>$/.exec(type);
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (value === null || value === undefined) tell(where, 'is null');
  else if (list) Array.isArray(value) ? value.forEach((item, i) => byModel(item, list[1], `${where}[${i}]`)) : tell(where, 'is no list');
  else if (map) typeof value === 'object' ? Object.entries(value).forEach(([key, item]) => byModel(item, map[1], `${where}.${key}`)) : tell(where, 'is no map');
  else if (['string', 'number', 'boolean'].includes(type)) {
    if (typeof value !== type) tell(where, `is ${JSON.stringify(value)}, expected a ${type}`);
  } else if (client[type]?.getAttributeTypeMap) {
    const fields = new Map(client[type].getAttributeTypeMap().map((field) => [field.baseName, field.type]));
    for (const [key, item] of Object.entries(value)) {
      if (fields.has(key)) byModel(item, fields.get(key), `${where}.${key}`);
      else tell(`${where}.${key}`, 'is unknown');
    }
  }
}

async function check(manifest, source) {
  const { apiVersion, kind } = manifest;
  const where = `${source}${kind} ${manifest.metadata?.name ?? ''}`;
  const shape = custom[`${apiVersion} ${kind}`];
  if (shape) return byList(manifest, shape, where);
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const models = await import(`kubernetes-models/${group ? `${group}/` : ''}${version}`).catch(() => ({}));
  const model = models[kind];
  if (!model) return tell(where, `${apiVersion} has no ${kind}`);
  try {
    new model(manifest).validate();
  } catch (e) {
    tell(where, e.message);
  }
  // The official client has only today's versions; a beta that became v1 has v1's fields here.
  byModel(manifest, `V1${kind}`, where);
}

for (const file of process.argv.slice(2)) {
  for (const manifest of loadAll(readFileSync(file, 'utf8'))) {
    if (!manifest) continue;
    await check(manifest, `${file}: `);
    // What the orchestrator makes of it is a manifest too.
    for (const [key, inner] of Object.entries(manifest.kind === 'ConfigMap' ? manifest.data ?? {} : {}))
      if (key === 'job.json') await check(JSON.parse(inner), `${file}: ${manifest.metadata.name}/${key}: `);
  }
}
console.log(`${faults} faults`);
process.exit(faults ? 1 : 0);
