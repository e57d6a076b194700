export { openExport, type ExportDirectory } from './export-directory.ts';
export { writeExport, wrongTiles, type ExportRequest } from './write-export.ts';
