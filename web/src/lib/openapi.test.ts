import { describe, expect, it } from "vitest";
import { address, fields, operations, starter, type Document } from "./openapi.ts";

const document: Document = {
  info: { title: "t", version: "1" },
  paths: {
    "/api/v1/cohorts/{name}/add": {
      parameters: [],
      post: {
        tags: ["cohorts"],
        summary: "Adds studies",
        parameters: [
          { name: "name", in: "path", required: true },
          { name: "limit", in: "query" },
        ],
        requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/Change" } } } },
        responses: { "200": { description: "the cohort" } },
      },
    },
    "/api/v1/status": { get: {} },
  },
  components: {
    schemas: {
      Change: {
        type: "object",
        required: ["select", "kind"],
        properties: {
          select: { $ref: "#/components/schemas/Select", description: "which" },
          kind: { enum: ["a", "b"] },
          note: { type: ["string", "null"] },
        },
      },
      Select: { oneOf: [{ type: "object", required: ["studies"], properties: { studies: { type: "array" } } }] },
      Loop: { type: "object", required: ["again"], properties: { again: { $ref: "#/components/schemas/Loop" } } },
    },
  },
};

describe("operations", () => {
  it("are found by tag, with their bodies", () => {
    const found = operations(document);
    expect(found.map(([tag, all]) => [tag, all.map(({ id }) => id)])).toEqual([
      ["cohorts", ["post /api/v1/cohorts/{name}/add"]],
      ["other", ["get /api/v1/status"]],
    ]);
    expect(found[0]?.[1][0]?.media).toBe("application/json");
  });

  it("have an address that is filled and escaped", () => {
    const operation = operations(document)[0]?.[1][0];
    if (!operation) throw new Error("no operation");
    expect(address(operation, { name: "a/b", limit: "" })).toBe("/api/v1/cohorts/a%2Fb/add");
    expect(address(operation, { name: "a", limit: "3" })).toBe("/api/v1/cohorts/a/add?limit=3");
  });
});

describe("a body", () => {
  it("begins with what is required", () => {
    expect(starter({ $ref: "#/components/schemas/Change" }, document)).toEqual({ select: { studies: [] }, kind: "a" });
  });

  it("ends where a schema holds itself", () => {
    expect(JSON.stringify(starter({ $ref: "#/components/schemas/Loop" }, document)).length).toBeLessThan(200);
  });

  it("is described field by field", () => {
    expect(fields({ $ref: "#/components/schemas/Change" }, document)[0]).toEqual({ name: "select", required: true, description: "which" });
  });
});
