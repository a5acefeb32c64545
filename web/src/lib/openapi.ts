/** What the page needs of an OpenAPI 3.1 document: its operations, and a body to begin with. */

export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  example?: unknown;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
}

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}

interface RawOperation {
  summary?: string;
  description?: string;
  operationId?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
  responses?: Record<string, { description?: string }>;
}

export interface Document {
  info: { title: string; version: string; description?: string };
  paths: Record<string, Record<string, RawOperation | unknown>>;
  components?: { schemas?: Record<string, Schema> };
}

export interface Operation {
  id: string;
  method: string;
  path: string;
  tag: string;
  summary: string;
  description: string;
  parameters: Parameter[];
  /** The media type of the body; none without one. */
  media: string | null;
  body: Schema | null;
  responses: { status: string; description: string }[];
}

const methods = ["get", "post", "put", "patch", "delete"];

/** All operations, by tag. */
export function operations(document: Document): [string, Operation[]][] {
  const tags = new Map<string, Operation[]>();
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of methods) {
      const raw = item[method] as RawOperation | undefined;
      if (!raw) continue;
      const [media, content] = Object.entries(raw.requestBody?.content ?? {})[0] ?? [null, undefined];
      const operation: Operation = {
        id: `${method} ${path}`,
        method: method.toUpperCase(),
        path,
        tag: raw.tags?.[0] ?? "other",
        summary: raw.summary ?? raw.description ?? raw.operationId ?? path,
        description: raw.summary === undefined ? "" : (raw.description ?? ""),
        parameters: raw.parameters ?? [],
        media,
        body: content?.schema ?? null,
        responses: Object.entries(raw.responses ?? {}).map(([status, { description }]) => ({ status, description: description ?? "" })),
      };
      tags.set(operation.tag, [...(tags.get(operation.tag) ?? []), operation]);
    }
  }
  return [...tags];
}

/** The schema that a reference names. */
export function resolve(schema: Schema, document: Document): Schema {
  const name = schema.$ref?.split("/").at(-1);
  return name === undefined ? schema : (document.components?.schemas?.[name] ?? {});
}

/** A value to begin with: what is required, and nothing else. */
export function starter(schema: Schema, document: Document, depth = 0): unknown {
  const own = resolve(schema, document);
  if (own.example !== undefined) return own.example;
  if (own.default !== undefined) return own.default;
  if (own.const !== undefined) return own.const;
  if (own.enum) return own.enum[0];
  const choice = own.oneOf?.[0] ?? own.anyOf?.[0];
  if (depth > 6) return null;
  if (own.allOf) return Object.assign({}, ...own.allOf.map((part) => starter(part, document, depth + 1)));
  if (choice) return starter(choice, document, depth + 1);
  const type = Array.isArray(own.type) ? own.type.find((one) => one !== "null") : own.type;
  if (type === "array") return [];
  if (type === "string") return "";
  if (type === "integer" || type === "number") return 1;
  if (type === "boolean") return false;
  const required = own.required ?? [];
  return Object.fromEntries(required.map((name) => [name, starter(own.properties?.[name] ?? {}, document, depth + 1)]));
}

/** The fields of a body, for the reader. */
export const fields = (schema: Schema, document: Document): { name: string; required: boolean; description: string }[] => {
  const own = resolve(schema, document);
  return Object.entries(own.properties ?? {}).map(([name, field]) => ({
    name,
    required: own.required?.includes(name) ?? false,
    description: field.description ?? resolve(field, document).description ?? "",
  }));
};

/** The address of a request. A parameter that is empty is left out. */
export function address({ path, parameters }: Operation, values: Record<string, string>): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ""));
  const query = new URLSearchParams();
  for (const { name, in: place } of parameters) {
    const value = values[name] ?? "";
    if (place === "query" && value !== "") query.set(name, value);
  }
  const text = query.toString();
  return text === "" ? filled : `${filled}?${text}`;
}
