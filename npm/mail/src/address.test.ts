import { expect, test } from "vitest";
import * as fc from "fast-check";

import { checkProperty } from "../../test-seed.ts";
import { formatAddress, parseAddress } from "./address.ts";

test.each([
  [{ address: "ada@example.com" }, "ada@example.com"],
  [{ address: "ada@example.com", name: "Ada Lovelace" }, "Ada Lovelace <ada@example.com>"],
  [{ address: "ada@example.com", name: "Dr. Ada" }, '"Dr. Ada" <ada@example.com>'],
  [{ address: "ada@example.com", name: 'A "B" \\ C' }, '"A \\"B\\" \\\\ C" <ada@example.com>'],
  [{ address: "ada@example.com", name: "Ada <eve@evil.example>" }, '"Ada <eve@evil.example>" <ada@example.com>'],
])("%o is written %s", (mailbox, text) => {
  expect(formatAddress(mailbox)).toBe(text);
});

test("whatever the name, what is written has one address", () => {
  checkProperty(
    fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (name) => {
      let mailbox;
      try {
        mailbox = parseAddress({ address: "ada@example.com", name }, "to");
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^MAIL_/) });
        return;
      }
      // Outside of quotes nothing is left that separates or opens another address.
      const bare = formatAddress(mailbox).replace(/^"(?:[^"\\]|\\.)*"/, "");
      expect(bare.replace(/<ada@example\.com>$|^ada@example\.com$/, "")).not.toMatch(/[<>,;"@\r\n]/);
    }),
    2_000,
  );
});
