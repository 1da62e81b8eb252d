import { MoreThan, type EntityManager, type EntityTarget, type FindOptionsOrder, type FindOptionsWhere } from 'typeorm';
import { toPage, type IdPageQuery, type Page } from '../http/paging.js';

/** One page of rows in the order of their ids, which is the order of making. */
export async function readPage<Row extends { readonly id: string }, Item>(
  manager: EntityManager,
  entity: EntityTarget<Row>,
  where: FindOptionsWhere<Row>,
  query: IdPageQuery,
  view: (row: Row) => Item,
): Promise<Page<Item>> {
  const rows = await manager.find(entity, {
    where: { ...where, ...(query.cursor !== undefined && { id: MoreThan(query.cursor) }) },
    order: { id: 'ASC' } as FindOptionsOrder<Row>,
    take: query.limit + 1,
  });
  return toPage(rows, query.limit, (row) => row.id, view);
}
