import type { JSX } from "preact";
import { Empty } from "../../ui/empty.tsx";

const EXAMPLE = `import { mail } from "lunorash/mail";

await mail(ctx).send({ to: input.email, subject: "Welcome", text: "Hello!" });`;

export function NoMail({ isSearched }: { readonly isSearched: boolean }): JSX.Element {
  if (isSearched)
    return (
      <Empty title="No mail fits">
        Words search everywhere; from:, to:, subject: and has:attachment where they say.
      </Empty>
    );
  return (
    <Empty title="No mail yet" code={EXAMPLE} file="lunora/people.ts">
      In development mail goes nowhere but here. Nothing is sent, whatever the address.
    </Empty>
  );
}
