// Where and from what a result comes: without it a figure is a rumour. Fsync time is measured because it is the
// price of durability: on a disk that ignores it, durable figures say nothing.
import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { median } from './stats.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMiB: number;
  readonly kernel: string;
  readonly loadAverageBefore: number;
  readonly ledgerDisk: Disk;
}

export interface Disk {
  readonly fileSystem: string;
  /** Of appending 4 KiB and making it durable. */
  readonly fsyncMedianUs: number;
}

export interface Commit {
  /** Absent outside a git checkout. */
  readonly commit?: string;
  /** Whether files differ from the commit, results of the bench itself aside. */
  readonly dirty?: boolean;
}

const TMPFS_MAGIC = 0x01021994;

/** The machine as it is now. `folder` is where ledgers will lie. */
export function describeMachine(folder: string): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    kernel: `${process.platform} ${release()}`,
    loadAverageBefore: loadavg()[0]!,
    ledgerDisk: { fileSystem: fileSystemOf(folder), fsyncMedianUs: measureFsyncUs(folder) },
  };
}

function fileSystemOf(folder: string): string {
  if (statfsSync(folder).type === TMPFS_MAGIC) return 'tmpfs (memory: nothing here is durable)';
  return mountedAt(folder) ?? 'unknown';
}

/** The type of the file system that holds the folder, from the longest mount point above it. */
function mountedAt(folder: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const mounts = readFileSync('/proc/mounts', 'utf8').trim().split('\n');
  return mounts
    .map((line) => line.split(' '))
    .filter(([, at]) => at === '/' || folder.startsWith(`${at}/`))
    .toSorted(([, a], [, b]) => b!.length - a!.length)[0]?.[2];
}

function measureFsyncUs(folder: string): number {
  const path = join(folder, 'fsync-probe');
  const file = openSync(path, 'w');
  const page = Buffer.alloc(4_096, 'x');
  const timesUs: number[] = [];
  for (let n = 0; n < 50; n++) {
    const startMs = performance.now();
    writeSync(file, page);
    fdatasyncSync(file);
    timesUs.push((performance.now() - startMs) * 1_000);
  }
  closeSync(file);
  rmSync(path);
  return Math.round(median(timesUs));
}

/** Which commit is measured, and whether the files are really those of the commit. */
export function describeCommit(root: string): Commit {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const commit = git('rev-parse', 'HEAD').toString().trim();
    const changed = git('status', '--porcelain', '--', '.', ':!bench/results').toString().trim();
    return { commit, dirty: changed !== '' };
  } catch {
    return {};
  }
}
