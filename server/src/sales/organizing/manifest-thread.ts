// The thread in which a manifest is imported: see manifests.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { importManifest, type ManifestFile } from './manifest-import.ts';

parentPort?.postMessage(importManifest(workerData as ManifestFile));
