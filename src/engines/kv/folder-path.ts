/** The path of a list as a folder's: '' or ending in '/'. */
export const folderPath = (path: string): string =>
  path === '' || path.endsWith('/') ? path : `${path}/`
