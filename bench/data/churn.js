// SPDX-License-Identifier: BSD-2-Clause
// What node.trace was recorded of: five threads that parse, compress, and keep some of it for a while.
"use strict";
const { Worker, isMainThread } = require("worker_threads");
const zlib = require("zlib");

if (isMainThread)
    for (let i = 0; i < 4; i++)
        new Worker(__filename);

const kept = [];
for (let i = 0; i < 250; i++) {
    const text = JSON.stringify(Array.from({ length: 2000 }, (_, j) => ({ j, name: "n" + i * j })));
    kept.push(zlib.gzipSync(text), Buffer.alloc(4096 << (i % 9)), JSON.parse(text));
    if (kept.length > 300)
        kept.splice(i % 100, 150);
}
