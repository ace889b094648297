// ONNX Runtime on one thread: node onnxruntime.js FOLDER LENGTHS TWEETS arrival|sorted
//
// FOLDER is make_models.py's. Texts of random ids in padded batches of 32, in order or by length; prints an object with
// tweets, seconds and processor seconds of one pass after a warm-up. Fails where the logits are not those of check.json.
'use strict';
const fs = require('fs');
const path = require('path');
const ort = require('onnxruntime-node');

const BATCH = 32;
const FIRST_POSITION = 2; // behind RoBERTa's padding id, 1

function feed(texts) {
  const width = Math.max(...texts.map((ids) => ids.length));
  const size = texts.length * width;
  const ids = new BigInt64Array(size).fill(1n);
  const positions = new BigInt64Array(size).fill(1n);
  const mask = new BigInt64Array(size);
  texts.forEach((text, row) => text.forEach((id, column) => {
    const at = row * width + column;
    ids[at] = BigInt(id);
    positions[at] = BigInt(FIRST_POSITION + column);
    mask[at] = 1n;
  }));
  const tensor = (data) => new ort.Tensor('int64', data, [texts.length, width]);
  return { ids: tensor(ids), positions: tensor(positions), mask: tensor(mask) };
}

async function check(session, folder) {
  const expected = JSON.parse(fs.readFileSync(path.join(folder, 'check.json')));
  // A longer text beside them, so that there is padding.
  const texts = [...expected.ids, new Array(30).fill(7)];
  const { data } = (await session.run(feed(texts)))[session.outputNames[0]];
  expected.logits.flat().forEach((logit, i) => {
    if (!(Math.abs(data[i] - logit) < 1e-4)) throw new Error(`logit ${i} is ${data[i]}, not ${logit}`);
  });
}

async function main([folder, lengthsFile, tweets, order]) {
  const session = await ort.InferenceSession.create(path.join(folder, 'model.onnx'), {
    intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all',
  });
  await check(session, folder);
  const vocabulary = JSON.parse(fs.readFileSync(path.join(folder, 'config.json'))).vocab_size;
  const all = fs.readFileSync(lengthsFile, 'utf8').split('\n').filter((line) => line.trim()).map(Number);
  const lengths = Array.from({ length: Number(tweets) }, (_, i) => all[i % all.length]);
  if (order === 'sorted') lengths.sort((a, b) => a - b);
  const texts = lengths.map((n) => Array.from({ length: n }, () => 2 + Math.floor(Math.random() * (vocabulary - 2))));
  const batches = [];
  for (let at = 0; at < texts.length; at += BATCH) batches.push(feed(texts.slice(at, at + BATCH)));
  await session.run(batches[0]);
  const begin = process.hrtime.bigint();
  const used = process.cpuUsage();
  for (const batch of batches) await session.run(batch);
  const seconds = Number(process.hrtime.bigint() - begin) * 1e-9;
  const cpu = process.cpuUsage(used);
  console.log(JSON.stringify({ tweets: texts.length, seconds, cpu: (cpu.user + cpu.system) * 1e-6 }));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(String(error));
  process.exit(1);
});
