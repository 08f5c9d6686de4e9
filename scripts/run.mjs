// Runs a file of this project on Node 24 or newer, and first installs what is missing:
//   node scripts/run.mjs [--dotenv] [Node's options] <file.ts> [arguments]
// All npm scripts go through it, so that a fresh clone needs one command. It is plain JavaScript on Node's own
// modules, because it runs before anything is installed, and it uses no syntax younger than Node 12, so that
// an old Node still reads as far as the line that says what to do.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const MODULES = path.join(ROOT, 'node_modules');
const DOTENV = path.join(ROOT, '.env');
const STAMP = path.join(MODULES, '.floodgate-installed.json');
const LOCK = path.join(ROOT, 'node_modules.lock');
const MY_LOCK = `${LOCK}.${process.pid}`;
const CARRIED_NODE = path.join(
  MODULES,
  `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`,
  process.platform === 'win32' ? 'bin/node.exe' : 'bin/node',
);

const OLDEST_NODE = 24;
const OLDEST_INSTALLING_NODE = 18;
const INSTALL_WAIT_MS = 600_000;
/** One Ctrl-C arrives here up to twice, from the terminal and from npm; within this time it counts as one. */
const ONE_KEY_PRESS_MS = 500;
const HOW_TO_GET_NODE = `install Node ${OLDEST_NODE} or newer with npm from https://nodejs.org/en/download`;

/** @typedef {{ fingerprint: string, carriesNode: boolean }} Stamp `carriesNode`: npm brought a Node that runs. */
/** @typedef {{ code: number | null, signal: NodeJS.Signals | null }} Ending */

if (majorOf(process.versions.node) < OLDEST_INSTALLING_NODE) {
  giveUp(
    `This is Node ${process.versions.node}, which is too old even to install Floodgate: ${HOW_TO_GET_NODE}.`,
  );
}
process.on('exit', unlock);
main().catch((fault) => giveUp(fault instanceof Error ? fault.message : String(fault)));

async function main() {
  const stamp = readStamp() || (await install());
  // Node keeps what it made of the TypeScript: 60 ms less of each start.
  const env = Object.assign({ NODE_COMPILE_CACHE: path.join(MODULES, '.cache', 'node') }, process.env);
  const args = process.argv.slice(2);
  if (args[0] === '--dotenv') args.splice(0, 1, ...(fs.existsSync(DOTENV) ? [`--env-file=${DOTENV}`] : []));
  endAs(await supervise(spawn(chooseNode(stamp), args, { cwd: ROOT, env, stdio: 'inherit' })));
}

/** @param {Stamp} stamp */
function chooseNode(stamp) {
  if (stamp.carriesNode) return CARRIED_NODE;
  if (majorOf(process.versions.node) >= OLDEST_NODE) return process.execPath;
  const platform = `${process.platform}-${process.arch}`;
  return giveUp(
    `Floodgate runs on Node ${OLDEST_NODE} or newer. This is Node ${process.versions.node}, and npm brought none ` +
      `that runs on ${platform}: ${HOW_TO_GET_NODE}.`,
  );
}

/** The stamp of an installation that fits the lock file and this machine; else undefined. */
function readStamp() {
  try {
    /** @type {Stamp} */
    const stamp = JSON.parse(fs.readFileSync(STAMP, 'utf8'));
    return stamp.fingerprint === fingerprint() ? stamp : undefined;
  } catch (_) {
    return undefined;
  }
}

/** Contents, not times: git and copies change times. The platform, because a folder may be shared by two. */
function fingerprint() {
  const lockFile = fs.readFileSync(path.join(ROOT, 'package-lock.json'));
  return createHash('sha256').update(`${process.platform}-${process.arch}\n`).update(lockFile).digest('hex');
}

/** @returns {Promise<Stamp>} */
async function install() {
  await lock();
  try {
    const fromAnotherStart = readStamp();
    if (fromAnotherStart) return fromAnotherStart;
    if (!isInstalledByHand()) await runNpmCi();
    const stamp = { fingerprint: fingerprint(), carriesNode: canRunCarriedNode() };
    fs.mkdirSync(MODULES, { recursive: true });
    fs.writeFileSync(STAMP, `${JSON.stringify(stamp)}\n`);
    return stamp;
  } finally {
    unlock();
  }
}

/** Whether npm, called by somebody else, has left what the lock file asks for. */
function isInstalledByHand() {
  try {
    const wanted = JSON.parse(fs.readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')).packages;
    const present = JSON.parse(fs.readFileSync(path.join(MODULES, '.package-lock.json'), 'utf8')).packages;
    return Object.keys(wanted).every((place) => {
      if (!place.includes('node_modules/')) return true;
      if (!present[place]) return wanted[place].optional === true;
      return (
        present[place].version === wanted[place].version &&
        present[place].integrity === wanted[place].integrity
      );
    });
  } catch (_) {
    return false;
  }
}

function canRunCarriedNode() {
  const answer = spawnSync(CARRIED_NODE, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return answer.status === 0 && majorOf(answer.stdout.replace(/^v/, '')) >= OLDEST_NODE;
}

async function runNpmCi() {
  fs.rmSync(STAMP, { force: true });
  const startedAtMs = Date.now();
  const progress = startProgress('Installing what Floodgate needs (npm ci), this once');
  // The level is given, because `npm start --silent` would silence npm here too, and its reason to fail.
  const npm = spawnNpm(['ci', '--no-audit', '--no-fund', '--loglevel=notice']);
  let output = '';
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const ending = await supervise(npm).finally(progress.stop);
  if (ending.signal) {
    unlock();
    endAs(ending);
  }
  if (ending.code !== 0) giveUp(`${output}\nnpm ci failed, see above. Nothing was started.`);
  process.stderr.write(`Installed in ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s.\n`);
}

/**
 * The npm that called us, on the Node it runs on: ours may be the one that lies in node_modules and is about to
 * be replaced.
 * @param {string[]} args
 */
function spawnNpm(args) {
  const { npm_execpath: npmCli, npm_node_execpath: npmNode } = process.env;
  const calledByNpm = npmCli !== undefined && /npm-cli\.js$/.test(npmCli);
  return calledByNpm
    ? spawn(npmNode || process.execPath, [npmCli, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    : spawn('npm', args, {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'pipe'],
        shell: process.platform === 'win32',
      });
}

/** @param {string} text */
function startProgress(text) {
  process.stderr.write(`${text} …`);
  if (!process.stderr.isTTY) {
    process.stderr.write('\n');
    return { stop: () => {} };
  }
  let seconds = 0;
  const timer = setInterval(() => process.stderr.write(`\r${text} … ${++seconds} s`), 1000);
  return {
    stop: () => {
      clearInterval(timer);
      process.stderr.write('\n');
    },
  };
}

// The lock is a directory with the holder's process id in it. It is made elsewhere and renamed into place,
// because renaming onto a directory that is not empty fails: so the lock never exists without its holder's
// name, and of two who want it one gets it. A dead holder's lock is renamed to the dead one's tombstone; as
// that name is taken from then on, a slow second finder cannot remove the lock of the first one's heir.

async function lock() {
  fs.mkdirSync(MY_LOCK, { recursive: true });
  fs.writeFileSync(path.join(MY_LOCK, 'pid'), String(process.pid));
  const giveUpAtMs = Date.now() + INSTALL_WAIT_MS;
  let toldOf;
  while (!renames(MY_LOCK, LOCK)) {
    const holder = readLockHolder();
    if (holder !== undefined && !isAlive(holder)) {
      renames(LOCK, `${LOCK}.dead-${holder}`);
    } else if (holder !== undefined && holder !== toldOf) {
      process.stderr.write(`Waiting for process ${holder}, which is installing …\n`);
      toldOf = holder;
    }
    if (Date.now() > giveUpAtMs)
      giveUp(`Process ${toldOf} does not finish installing. If it is gone, remove ${LOCK}.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function unlock() {
  fs.rmSync(MY_LOCK, { recursive: true, force: true });
  if (readLockHolder() !== process.pid) return;
  for (const name of fs.readdirSync(ROOT)) {
    const [, owner] = /^node_modules\.lock\.(?:dead-)?(\d+)$/.exec(name) || [];
    if (owner && !isAlive(Number(owner))) fs.rmSync(path.join(ROOT, name), { recursive: true, force: true });
  }
  // Renamed away first: removed in place it would be empty for a moment, and an empty one can be renamed onto.
  renames(LOCK, MY_LOCK);
  fs.rmSync(MY_LOCK, { recursive: true, force: true });
}

function readLockHolder() {
  try {
    return Number(fs.readFileSync(path.join(LOCK, 'pid'), 'utf8'));
  } catch (_) {
    return undefined;
  }
}

/** @param {string} from @param {string} to */
function renames(from, to) {
  try {
    fs.renameSync(from, to);
    return true;
  } catch (fault) {
    if (['ENOTEMPTY', 'EEXIST', 'EPERM', 'ENOENT'].includes(codeOf(fault))) return false;
    throw fault;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (fault) {
    return codeOf(fault) !== 'ESRCH';
  }
}

/**
 * Waits for the child's end and passes our signals on, each key press once. The first Ctrl-C in a terminal is
 * not passed on, because the terminal has given it to the child itself.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<Ending>}
 */
function supervise(child) {
  /** @type {Map<string, number>} */
  const lastAtMs = new Map();
  /** @param {NodeJS.Signals} signal */
  const passOn = (signal) => {
    const nowMs = Date.now();
    const last = lastAtMs.get(signal);
    if (last !== undefined && nowMs - last < ONE_KEY_PRESS_MS) return;
    lastAtMs.set(signal, nowMs);
    const fromTerminal = signal === 'SIGINT' && last === undefined && [0, 1, 2].some((fd) => isatty(fd));
    if (!fromTerminal) child.kill(signal);
  };
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, passOn);
  return new Promise((resolve, reject) => {
    child.on('error', (fault) => reject(new Error(explainSpawnFault(fault, child.spawnfile))));
    child.on('close', (code, signal) => {
      for (const each of signals) process.off(each, passOn);
      resolve({ code, signal });
    });
  });
}

/** @param {unknown} fault @param {string} file */
function explainSpawnFault(fault, file) {
  if (codeOf(fault) !== 'ENOENT') return `Cannot start ${file}: ${fault}`;
  if (file === 'npm') return `Floodgate installs itself with npm, and there is none: ${HOW_TO_GET_NODE}.`;
  return `${file} is gone. Remove the folder node_modules and start again.`;
}

/** @param {Ending} ending */
function endAs({ code, signal }) {
  process.exitCode = 1;
  if (signal) process.kill(process.pid, signal);
  else process.exit(code === null ? 1 : code);
}

/** @param {unknown} fault */
function codeOf(fault) {
  return fault instanceof Error && 'code' in fault ? String(fault.code) : '';
}

/** @param {string} version */
function majorOf(version) {
  return Number(version.split('.')[0]);
}

/** @param {string} why @returns {never} */
function giveUp(why) {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}
