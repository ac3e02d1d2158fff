/**
 * The version of the messages between the services. Each side of a connection sends it and refuses any other
 * (apps/transport/handshake.ts).
 *
 * Raise it by one with every change after which a program of the version before would misread a message or lack a field: a
 * field or method that is removed, required, or has another type, number or meaning, in the `.proto` files or in the rows
 * that travel as JSON (apps/shared/batches.ts). A new field that older programs may ignore needs no new version.
 * version.test.ts fails with every change of the `.proto` files, to ask for this decision.
 */
export const messagesVersion = 2;
