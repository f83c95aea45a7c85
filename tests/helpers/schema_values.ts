import fc from "fast-check";

type Schema = { readonly [key: string]: unknown };

/**
 * Draws values that a schema allows, from what the schema says.
 *
 * @param root The schema, with its `$defs`.
 * @returns Values for fast-check. What a schema says with `not` is left to the caller's filter.
 */
export function valuesOf(root: Schema): fc.Arbitrary<unknown> {
  const definitions = (root.$defs ?? {}) as Record<string, Schema>;

  function values(schema: Schema): fc.Arbitrary<unknown> {
    if (typeof schema.$ref === "string") {
      return values(definitions[schema.$ref.replace("#/$defs/", "")]);
    }
    if ("const" in schema) return fc.constant(schema.const);
    if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
    if (Array.isArray(schema.anyOf) && !schema.properties) {
      return fc.oneof(...schema.anyOf.map((part) => values(part)));
    }
    switch (schema.type) {
      case "object":
        return objects(schema);
      case "array":
        return fc.array(values(schema.items as Schema), { maxLength: 3 });
      case "string":
        return texts(schema);
      case "integer":
        return fc.integer({
          min: schema.minimum as number ?? -1e9,
          max: Math.min(schema.maximum as number ?? 1e9, 2 ** 31 - 1),
        });
      case "boolean":
        return fc.boolean();
      case "null":
        return fc.constant(null);
      default:
        return fc.jsonValue({ maxDepth: 2 });
    }
  }

  function objects(schema: Schema): fc.Arbitrary<unknown> {
    const { properties = {}, required = [], additionalProperties, anyOf } = schema;
    const parts = Object.entries(properties as Record<string, Schema>)
      .map(([name, part]) => [name, values(part)] as const);
    const more = typeof additionalProperties === "object" && !("not" in additionalProperties!);
    const others = more ? fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue()) : undefined;
    const requiredOf = (alternative: Schema) => [
      ...required as string[],
      ...(alternative.required as string[] ?? []),
    ];
    const alternatives = (anyOf as Schema[] | undefined ?? [{}]).map((alternative) =>
      fc.record(Object.fromEntries(parts), { requiredKeys: requiredOf(alternative) })
    );
    const known = fc.oneof(...alternatives);
    return others ? fc.tuple(others, known).map(([one, other]) => ({ ...one, ...other })) : known;
  }

  function texts(schema: Schema): fc.Arbitrary<unknown> {
    const [min, max] = [schema.minLength as number ?? 0, schema.maxLength as number ?? Infinity];
    const isWithin = (text: string) => [...text].length >= min && [...text].length <= max;
    const shortest = fc.string({
      unit: "binary",
      minLength: min,
      maxLength: Math.min(min + 3, max),
    });
    if (typeof schema.pattern !== "string") {
      // Also the longest, of characters that take two units of UTF-16.
      const longest = max === Infinity ? shortest : fc.constant("👍".repeat(max));
      return fc.oneof({ weight: 4, arbitrary: shortest }, { weight: 1, arbitrary: longest });
    }
    const pattern = new RegExp(schema.pattern, "u");
    // One that is not anchored is found in something longer.
    const matching = schema.pattern.startsWith("^")
      ? fc.stringMatching(pattern, { size: "small" })
      : fc.tuple(shortest, fc.stringMatching(new RegExp(`^${schema.pattern}$`, "u")), shortest)
        .map((parts) => parts.join(""));
    return matching.filter(isWithin);
  }

  return values(root);
}

/**
 * Changes a value in one place, so that it may be wrong.
 *
 * @param value JSON.
 * @returns Values for fast-check.
 */
export function mutationsOf(value: unknown): fc.Arbitrary<unknown> {
  const other = fc.oneof(
    fc.constantFrom<unknown>(null, "", " ", "\u200b", "a".repeat(65), "x".repeat(129), 0, -1, 101),
    fc.constantFrom<unknown>(
      1.5,
      true,
      [],
      {},
      "..",
      "a/b",
      "👍".repeat(129),
      "ann\u200d",
      "\ufffd",
    ),
    fc.string({ unit: "binary", maxLength: 4 }),
    fc.jsonValue({ maxDepth: 1 }),
  );
  if (typeof value !== "object" || value === null || Array.isArray(value)) return other;
  const entries = Object.entries(value);
  const without = entries.map(([name]) =>
    fc.constant(Object.fromEntries(entries.filter(([key]) => key !== name)))
  );
  const within = entries.map(([name, inner]) =>
    mutationsOf(inner).map((mutated) => ({ ...value, [name]: mutated }))
  );
  const added = fc.tuple(
    fc.constantFrom("text", "ref", "room", "user", "cursor", "status", "__proto__", "x", "payload"),
    other,
  ).map(([name, more]) => ({ ...value, [name]: more }));
  return fc.oneof(other, added, ...without, ...within);
}
