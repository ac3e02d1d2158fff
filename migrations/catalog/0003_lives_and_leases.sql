ALTER TABLE `register` ADD `life` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `register` ADD `first_term` integer DEFAULT 0 NOT NULL CONSTRAINT "register_first_term" CHECK(first_term >= 0);--> statement-breakpoint
ALTER TABLE `register` ADD `lease_ms` integer DEFAULT 0 NOT NULL CONSTRAINT "register_lease_ms" CHECK(lease_ms >= 0);--> statement-breakpoint
ALTER TABLE `register` ADD `ended_cleanly` integer DEFAULT 0 NOT NULL CONSTRAINT "register_ended_cleanly" CHECK(ended_cleanly IN (0, 1));
