/** Makes a home with a phantom archive, trains and indexes it, and serves it while the tests run. */

import { spawn, type ChildProcess } from "node:child_process";
import { cpSync, createWriteStream, mkdirSync, mkdtempSync, readdirSync, rmSync, existsSync, type WriteStream } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const root = resolve(import.meta.dirname, "..");
const output = join(root, "output");
const serving = /^thorax is serving on (http:\/\/127\.0\.0\.1:\d+)\s*$/;

export default async function setUp(): Promise<() => Promise<void>> {
  // A server that is there already, on the same phantoms: while the page is worked on.
  if (process.env["THORAX_URL"]) return () => Promise.resolve();
  const program = resolve(root, process.env["THORAX_BIN"] ?? "../../target/release/thorax");
  if (!existsSync(program)) throw new Error(`${program} is not there: build it, or name it in THORAX_BIN`);
  mkdirSync(output, { recursive: true });
  const log = createWriteStream(join(output, "thorax.log"));
  const folder = mkdtempSync(join(tmpdir(), "thorax-browser-"));
  const [home, guardedHome, emptyHome] = [join(folder, "home"), join(folder, "guarded"), join(folder, "empty")];
  const servers: ChildProcess[] = [];
  const start = async (of: string) => {
    const started = await serve(program, of, log);
    servers.push(started.server);
    return started;
  };
  const end = async () => {
    await Promise.all(servers.map(stop));
    rmSync(folder, { recursive: true, force: true });
    log.end();
  };
  const steps = process.env["THORAX_DOCS"]
    ? // Larger films, and the model that ships: the pictures are to be looked at.
      [["import", "phantom", "--studies", "150", "--seed", "7", "--size", "384"], ["index"]]
    : [
        ["import", "phantom", "--studies", "60", "--seed", "7"],
        ["train", "--preset", "demo", "--steps", "8"],
        ["index"],
      ];
  try {
    for (const step of steps) await run(program, ["--home", home, ...step], log);
    const films = findFilms(home);
    process.env["THORAX_FILM"] = films[0];
    process.env["THORAX_OTHER_FILM"] = films[1];
    cpSync(home, guardedHome, { recursive: true });
    await run(program, ["--home", emptyHome, "index"], log);
    const tokens = await makeTokens(program, guardedHome, log);
    const { address } = await start(home);
    process.env["THORAX_URL"] = address;
    process.env["THORAX_GUARDED"] = JSON.stringify({ address: (await start(guardedHome)).address, tokens });
    process.env["THORAX_EMPTY_URL"] = (await start(emptyHome)).address;
    return end;
  } catch (error) {
    await end();
    throw error;
  }
}

/** Runs a command; returns the last line that it said. */
async function run(program: string, words: string[], log: WriteStream): Promise<string> {
  const started = Date.now();
  const step = words.slice(2).join(" ");
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
  let tail = "";
  let said = "";
  child.stdout.on("data", (data: Buffer) => (said = (said + data.toString()).slice(-2000)));
  child.stderr.on("data", (data: Buffer) => {
    log.write(data);
    tail = (tail + data.toString()).slice(-2000);
  });
  const code = await new Promise<number | null>((done, fail) => child.on("close", done).on("error", fail));
  if (code !== 0) throw new Error(`thorax ${step} ended with ${code}:\n${said}${tail}`);
  console.log(`thorax ${step}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return said.trim().split("\n").at(-1) ?? "";
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
  // One that asks for a token answers too.
  if (!status?.ok && status?.status !== 401) {
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

/** Any two films of the archive, to drop on the page. */
function findFilms(home: string): string[] {
  const films = readdirSync(home, { recursive: true, encoding: "utf8" })
    .sort()
    .filter((path) => /\.(png|jpe?g)$/i.test(path));
  if (films.length < 2) throw new Error("the import left no films in the home");
  return films.slice(0, 2).map((film) => join(home, film));
}

/** A token for each role. */
async function makeTokens(program: string, home: string, log: WriteStream): Promise<Record<string, string>> {
  const roles = ["reader", "researcher", "keeper"];
  const tokens: Record<string, string> = {};
  for (const role of roles) tokens[role] = await run(program, ["--home", home, "token", "create", `a ${role}`, "--role", role], log);
  return tokens;
}
