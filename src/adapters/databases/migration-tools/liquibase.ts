import { detected, type Detector } from '../detected-migrations.ts';

export const liquibase: Detector = async (project) => {
  const file = project.find(/^(?:liquibase\.properties|(?:db\.)?changelog.*\.(?:xml|ya?ml|json|sql))$/);
  // Its change sets live in files that include files, in four formats: what is pending only it can tell.
  return file === null ? null : detected('liquibase', '.', ['databasechangelog'], () => []);
};
