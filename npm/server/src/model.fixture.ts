import type { Id } from "@lunora/values";

// A data model as generated code writes it, for the tests of this package.

interface ChannelsDocument {
  readonly _id: Id<"channels">;
  readonly _creationTime: number;
  name: string;
  topic?: string;
}

interface ChannelsInsert {
  name: string;
  topic?: string;
}

interface MessagesDocument {
  readonly _id: Id<"messages">;
  readonly _creationTime: number;
  channelId: Id<"channels">;
  author: string;
  body: string;
  likes: number;
  tags?: string[];
  editedAt?: number | null;
}

interface MessagesInsert {
  channelId: Id<"channels">;
  author: string;
  body: string;
  likes?: number;
  tags?: string[];
  editedAt?: number | null;
}

export interface DataModel {
  channels: {
    document: ChannelsDocument;
    insert: ChannelsInsert;
    indexes: { by_name: ["name"] };
    relations: { messages: { kind: "many"; table: "messages" } };
    softDelete: false;
    shardMode: "root";
  };
  messages: {
    document: MessagesDocument;
    insert: MessagesInsert;
    indexes: { by_author: ["author"]; by_author_likes: ["author", "likes"] };
    relations: { channel: { kind: "one"; table: "channels" } };
    softDelete: true;
    shardMode: "shardBy:channelId";
  };
}
