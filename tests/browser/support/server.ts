/** Makes a home with a phantom archive, trains and indexes it, and serves it while the tests run. */

import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, readdirSync, rmSync, existsSync, type WriteStream } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const folder = resolve(import.meta.dirname, "..");
const output = join(folder, "output");
const serving = /^thorax is serving on (http:\/\/127\.0\.0\.1:\d+)\s*$/;

export default async function setUp(): Promise<() => Promise<void>> {
  const program = resolve(folder, process.env["THORAX_BIN"] ?? "../../target/release/thorax");
  if (!existsSync(program)) throw new Error(`${program} is not there: build it, or name it in THORAX_BIN`);
  mkdirSync(output, { recursive: true });
  const log = createWriteStream(join(output, "thorax.log"));
  const home = mkdtempSync(join(tmpdir(), "thorax-browser-"));
  const steps = [
    ["import", "phantom", "--studies", "60", "--seed", "7"],
    ["train", "--preset", "demo", "--steps", "8"],
    ["index"],
  ];
  try {
    for (const step of steps) await run(program, ["--home", home, ...step], log);
    process.env["THORAX_FILM"] = findFilm(home);
    const { server, address } = await serve(program, home, log);
    process.env["THORAX_URL"] = address;
    return async () => {
      await stop(server);
      rmSync(home, { recursive: true, force: true });
      log.end();
    };
  } catch (error) {
    rmSync(home, { recursive: true, force: true });
    throw error;
  }
}

async function run(program: string, words: string[], log: WriteStream): Promise<void> {
  const started = Date.now();
  const step = words.slice(2).join(" ");
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
  let tail = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data: Buffer) => {
      log.write(data);
      tail = (tail + data.toString()).slice(-2000);
    });
  }
  const code = await new Promise<number | null>((done, fail) => child.on("close", done).on("error", fail));
  if (code !== 0) throw new Error(`thorax ${step} ended with ${code}:\n${tail}`);
  console.log(`thorax ${step}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

async function serve(program: string, home: string, log: WriteStream): Promise<{ server: ChildProcess; address: string }> {
  const server = spawn(program, ["--home", home, "serve", "--port", "0"], { stdio: ["ignore", "pipe", "pipe"] });
  let tail = "";
  server.stderr.on("data", (data: Buffer) => {
    log.write(data);
    tail = (tail + data.toString()).slice(-2000);
  });
  const address = await new Promise<string>((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`thorax serve said nothing in 120 s:\n${tail}`)), 120_000);
    createInterface({ input: server.stdout }).on("line", (line) => {
      log.write(`${line}\n`);
      const found = serving.exec(line)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      done(found);
    });
    server.on("error", fail).on("close", (code) => fail(new Error(`thorax serve ended with ${code}:\n${tail}`)));
  }).catch((error: unknown) => {
    server.kill("SIGKILL");
    throw error;
  });
  const status = await fetch(`${address}/api/v1/status`).catch(() => undefined);
  if (!status?.ok) {
    server.kill("SIGKILL");
    throw new Error(`thorax serve named ${address} and does not answer there (${status?.status ?? "no answer"}):\n${tail}`);
  }
  return { server, address };
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const ended = new Promise((done) => server.once("close", done));
  const timer = setTimeout(() => server.kill("SIGKILL"), 15_000);
  server.kill("SIGTERM");
  await ended;
  clearTimeout(timer);
}

/** Any film of the archive, to drop on the page. */
function findFilm(home: string): string {
  const film = readdirSync(home, { recursive: true, encoding: "utf8" })
    .sort()
    .find((path) => /\.(png|jpe?g)$/i.test(path));
  if (film === undefined) throw new Error("the import left no .png or .jpg in the home");
  return join(home, film);
}
