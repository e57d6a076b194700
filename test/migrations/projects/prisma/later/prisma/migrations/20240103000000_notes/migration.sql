CREATE TABLE "notes" ("id" SERIAL NOT NULL, CONSTRAINT "notes_pkey" PRIMARY KEY ("id"));
